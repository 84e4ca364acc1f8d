"""Selects the anomalies that a page shows: the few that matter most to its reader, and the expected ones."""

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
    """An episode as a numbered footnote of a chart.

    `causes` is the sentence about what caused it, `link` the address of its calls, and `hours` the address of
    all calls that its own sentence counts.
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
    """The anomalies of a page, most important first: `notes`, and separately those marked as `expected`."""

    notes: list[Note]
    expected: list[Note]
    more: int = 0  # number of episodes that are not shown
    learning_until: datetime | None = None
    since: datetime | None = None  # where the search began, if only the end of the range was searched
    is_named_only: bool = (
        False  # the filter is by model or token: only episodes that name it as a cause are shown
    )

    def about(self, dimension: str) -> dict[str, Note]:
        """Returns the most important note for each member, token or model, by public id or name of the model.

        A note counts if its episode is about them or names them as a cause. Rankings show it beside their rows.
        """
        found: dict[str, Note] = {}
        for note in self.notes:
            for key in note.episode.keys_of(dimension):
                found.setdefault(key, note)
        return found


def anomalies_in(
    query: UsageQuery, *, sees_team: bool, now: datetime, most: int | None = MOST_SHOWN
) -> ShownAnomalies:
    """Returns the anomalies of the query's team in its time range.

    If the query has filters, only episodes about the selected members, tokens or models are returned, or with
    them as a cause. A reader who may not see the team (`sees_team`) gets only episodes about their own calls.
    `most` is the maximum number of notes; None means all.
    """
    return anomalies_in_teams([(query, sees_team)], now=now, most=most)


def anomalies_in_teams(
    asked: Sequence[tuple[UsageQuery, bool]], *, now: datetime, most: int | None = MOST_SHOWN
) -> ShownAnomalies:
    """Returns the anomalies of several teams together, sorted by importance.

    `asked` has a query for each team, and whether the reader may see the whole team. All must be in the same
    mode.
    """
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
    """An episode as this reader sees it, and `whole`, the episode of the team that it belongs to.

    They differ if the reader may see only the part about one member. Marks as expected apply to `whole`.
    """

    query: UsageQuery
    episode: Episode
    whole: Episode


def _told_of(
    episodes: Iterable[Episode], query: UsageQuery, *, sees_team: bool
) -> Iterator[tuple[Episode, Episode]]:
    """Yields, for each episode that the reader may see, the visible part and the whole episode.

    Episodes that do not match the query's filters are left out.
    """
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
    """Returns the visible episodes as notes.

    For a single team it also says whether only the end of the range was searched, and whether the team is still
    in its first week.
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
    """Returns the marks as expected that overlap a time range, for these teams, oldest first."""
    marks = ExpectedEpisode.objects.filter(
        team__in=teams, mode=mode, starts_at__lt=within.end, ends_at__gt=within.start
    )
    return list(marks.select_related("marked_by").order_by("marked_at"))


def _of_team(marks: Iterable[ExpectedEpisode], team: Team) -> list[ExpectedEpisode]:
    return [mark for mark in marks if mark.team_id == team.pk]


Record = TypeVar("Record", bound=EpisodeRecord)


def mark_of(episode: Episode, marks: Iterable[Record]) -> Record | None:
    """Returns the record (mark or alert) that applies to an episode; None if there is none.

    It must be of one of the episode's kinds and overlap its time (see EpisodeRecord).
    """
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
    """Returns the rings of a chart: point, numbers of its notes as text, and address of the first note.

    An episode is marked at the time bucket that contains its most unusual hour.
    """
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
    """Returns a sentence about the causes, or "" if none are known.

    For example: `By Dana (92%), with token nightly-eval (98%), of gpt-4o (60%), o4-mini (21%).`
    """
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
