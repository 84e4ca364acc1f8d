"""What a page shows of anomalies: the few that matter most to its reader, and the expected ones."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.utils.translation import gettext as _

from teams.models import Mode, Team
from usage.anomalies.episodes import Cause, Episode, Kind, calls_link, hours_link, in_range, overlap
from usage.anomalies.find import Found, find_anomalies_of_teams
from usage.anomalies.models import EpisodeRecord, ExpectedEpisode
from usage.rollups.figures import Point
from usage.rollups.query import Range, UsageQuery

MOST_SHOWN = 5


@dataclass(frozen=True)
class Note:
    """An episode as a footnote of a chart: its number, its text, the address of its calls, and the address of
    all calls that its sentence counts.
    """

    number: int
    team: Team
    episode: Episode
    causes: str
    link: str
    hours: str
    expected: ExpectedEpisode | None = None


@dataclass(frozen=True)
class ShownAnomalies:
    """The notes of a page, most important first."""

    notes: list[Note]
    expected: list[Note]
    more: int = 0  # number of episodes that are not shown
    learning_until: datetime | None = None
    since: datetime | None = None  # if only the end of the range was searched, where the search began
    is_named_only: bool = (
        False  # with a filter that is not searched by itself: only episodes that name it as a cause
    )

    def about(self, dimension: str) -> dict[str, Note]:
        """By key (public id, model), the most important note that is about it or names it as a cause; for
        rankings.
        """
        found: dict[str, Note] = {}
        for note in self.notes:
            for key in note.episode.keys_of(dimension):
                found.setdefault(key, note)
        return found


def anomalies_in(
    query: UsageQuery, *, sees_team: bool, now: datetime, most: int | None = MOST_SHOWN
) -> ShownAnomalies:
    """The anomalies for a query: the team's episodes or, with filters, those that are about them or driven by
    them.

    A reader who may not see the team gets only episodes about their own calls. `most` is the maximum number;
    None: all.
    """
    return anomalies_in_teams([(query, sees_team)], now=now, most=most)


def anomalies_in_teams(
    asked: Sequence[tuple[UsageQuery, bool]], *, now: datetime, most: int | None = MOST_SHOWN
) -> ShownAnomalies:
    """The same for several teams together: for each its query, and whether the reader may see the team."""
    if not asked:
        return ShownAnomalies([], [])
    first = asked[0][0]
    ranges = [(query.team, query.range) for query, _sees_team in asked]
    stamps = {query.team.pk: query.cache_version.version for query, _sees_team in asked if query.cache_version}
    found = find_anomalies_of_teams(ranges, first.mode, now, stamps)
    told = [
        _Told(query, *pair)
        for (query, sees_team), one in zip(asked, found, strict=True)
        for pair in _told_of(in_range(one.episodes, query.range), query, sees_team=sees_team)
    ]
    told.sort(
        key=lambda one: -one.episode.importance
    )  # a stable sort: episodes of one team stay in their order
    return _noted(told, list(zip(asked, found, strict=True)), most)


@dataclass(frozen=True)
class _Told:
    """What a reader sees: an episode, or the part of it that is about one member. Marks apply to the whole
    episode.
    """

    query: UsageQuery
    episode: Episode
    whole: Episode


def _told_of(
    episodes: Iterable[Episode], query: UsageQuery, *, sees_team: bool
) -> Iterator[tuple[Episode, Episode]]:
    """For each episode, what this reader sees of it under these filters, and the episode itself."""
    filters: dict[str, set[int | str]] = {
        "member": {*query.members},
        "token": {*query.tokens},
        "model": {*query.models},
    }
    for whole in episodes:
        parts = [whole] if sees_team else [one for one in (whole, *whole.own) if one.member_id in query.members]
        yield from ((one, whole) for one in parts if one.is_about(filters))


def _noted(
    told: Sequence[_Told], looked_at: Sequence[tuple[tuple[UsageQuery, bool], Found]], most: int | None
) -> ShownAnomalies:
    """The episodes as notes. For a single team it also says that only the end of the range was searched, or
    that the team is new.
    """
    window = Range(
        min(one.window.start for _asked, one in looked_at), max(one.window.end for _asked, one in looked_at)
    )
    first = looked_at[0][0][0]
    teams = {one.query.team.pk: one.query.team for one in told}
    marks = expected_in([*teams.values()], first.mode, window) if told else []
    notes = [_note(one, mark_of(one.whole, _of_team(marks, one.query.team))) for one in told]
    new = [note for note in notes if note.expected is None]
    alone = looked_at[0][1] if len(looked_at) == 1 else None
    return ShownAnomalies(
        notes=[replace(note, number=number) for number, note in enumerate(new[:most], start=1)],
        expected=[note for note in notes if note.expected],
        more=len(new) - len(new[:most]),
        learning_until=alone.learning_until if alone else None,
        since=alone.window.start if alone and alone.window.start > first.range.start else None,
        is_named_only=bool(first.models or first.tokens),
    )


def expected_in(teams: Sequence[Team], mode: Mode, within: Range) -> list[ExpectedEpisode]:
    """The marks that may apply to an episode of these teams in a range."""
    marks = ExpectedEpisode.objects.filter(
        team__in=teams, mode=mode, starts_at__lt=within.end, ends_at__gt=within.start
    )
    return list(marks.select_related("marked_by").order_by("marked_at"))


def _of_team(marks: Iterable[ExpectedEpisode], team: Team) -> list[ExpectedEpisode]:
    return [mark for mark in marks if mark.team_id == team.pk]


Record = TypeVar("Record", bound=EpisodeRecord)


def mark_of(episode: Episode, marks: Iterable[Record]) -> Record | None:
    """The record that applies to an episode: of one of its kinds, for a part of its time (see EpisodeRecord)."""
    for mark in marks:
        if not overlap(Range(mark.starts_at, mark.ends_at), episode.whole):
            continue
        of_member = {one.member_id for one in (episode, *episode.own) if one.member_id}
        if mark.kind in (episode.kinds or (episode.kind,)) and (
            mark.kind != Kind.MEMBER or mark.member_id in of_member
        ):
            return mark
    return None


def marks_by_point(notes: Sequence[Note], points: Sequence[Point]) -> list[tuple[Point, str, str]]:
    """The rings of a chart: for each bucket with a note, the numbers of its notes and the address of the first."""
    found: dict[int, list[Note]] = {}
    starts = [point.start for point in points]
    for note in notes:
        before = [index for index, start in enumerate(starts) if start <= note.episode.peak]
        if starts:
            found.setdefault(before[-1] if before else 0, []).append(note)
    return [
        (points[index], " ".join(str(note.number) for note in some), some[0].link)
        for index, some in sorted(found.items())
    ]


def causes_sentence(causes: Sequence[Cause], spread: Sequence[str]) -> str:
    """`By Dana (92%), with token nightly-eval (98%), calling gpt-4o (60%) and o4-mini (21%).`, or ""."""
    words = {
        "member": _("by %(cells)s"),
        "token": _("with token %(cells)s"),
        "model": _("of %(cells)s"),
        "outcome": _("mostly %(cells)s"),
    }
    cells = {
        name: ", ".join(
            f"{cause.label} ({round(100 * cause.share)}%)" for cause in causes if cause.dimension == name
        )
        for name in words
    }
    parts = [words[name] % {"cells": text} for name, text in cells.items() if text]
    if "member" in spread:
        parts.append(_("spread over all members"))
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _note(told: _Told, mark: ExpectedEpisode | None) -> Note:
    query, episode = told.query, told.episode
    words = causes_sentence(episode.causes, episode.spread)
    made, counted = (find(query.team, query.mode, episode) for find in (calls_link, hours_link))
    return Note(0, query.team, episode, words, made, counted, mark)
