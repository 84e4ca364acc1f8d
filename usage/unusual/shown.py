"""What a page tells of the unusual: the few episodes that matter to this reader, those that were expected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.utils.translation import gettext as _

from teams.models import Mode, Team
from usage.models import EpisodeRecord, ExpectedEpisode
from usage.query import Range, UsageQuery
from usage.statistics import Point
from usage.unusual.episodes import Cause, Episode, Kind, calls_link, hours_link, in_range, overlap
from usage.unusual.find import Found, find_unusual_of_teams

MOST_SHOWN = 5


@dataclass(frozen=True)
class Note:
    """An episode as a footnote: its number in the chart, its words, the address of the calls that made it, and
    that of all that its sentence counts."""

    number: int
    team: Team
    episode: Episode
    causes: str
    link: str
    hours: str
    expected: ExpectedEpisode | None = None


@dataclass(frozen=True)
class Unusual:
    """The notes of a page, most important first."""

    notes: list[Note]
    expected: list[Note]
    more: int = 0  # episodes that are not among the few
    learning_until: datetime | None = None
    since: datetime | None = None  # when only the end of the range was looked at: its beginning
    is_filtered: bool = False  # filters are set under which nothing is known

    def about(self, dimension: str) -> dict[str, Note]:
        """By key (public id, model) the most important note that is about it or names it as a cause, for rankings."""
        found: dict[str, Note] = {}
        for note in self.notes:
            for key in note.episode.keys_of(dimension):
                found.setdefault(key, note)
        return found


def unusual_in(query: UsageQuery, *, sees_team: bool, now: datetime, most: int | None = MOST_SHOWN) -> Unusual:
    """What is told for a question: the team's episodes; with members filtered by, theirs.

    Somebody who does not see the team is told only of their own calls. `most`: how many are told; None, all.
    """
    return unusual_in_teams([(query, sees_team)], now=now, most=most)


def unusual_in_teams(
    asked: Sequence[tuple[UsageQuery, bool]], *, now: datetime, most: int | None = MOST_SHOWN
) -> Unusual:
    """The same for several teams together: of each the question, and whether its reader sees the team."""
    if not asked:
        return Unusual([], [])
    first = asked[0][0]
    if first.models or first.tokens:
        return Unusual([], [], is_filtered=True)
    ranges = [(query.team, query.range) for query, _sees_team in asked]
    stamps = {query.team.pk: query.past.stamp for query, _sees_team in asked if query.past}
    found = find_unusual_of_teams(ranges, first.mode, now, stamps)
    told: list[tuple[UsageQuery, Episode]] = []
    for (query, sees_team), one in zip(asked, found, strict=True):
        episodes = in_range(one.episodes, query.range)
        if query.members:
            episodes = about_members(episodes, query.members, named=sees_team)
        told += [(query, episode) for episode in episodes]
    told.sort(key=lambda pair: -pair[1].importance)  # stable: of one team they stay in their order
    return _noted(told, list(zip(asked, found, strict=True)), most)


def _noted(
    told: Sequence[tuple[UsageQuery, Episode]],
    looked_at: Sequence[tuple[tuple[UsageQuery, bool], Found]],
    most: int | None,
) -> Unusual:
    """The episodes as notes. When only the end was looked at, or a team is still new, that is said of one team."""
    whole = Range(
        min(one.window.start for _asked, one in looked_at), max(one.window.end for _asked, one in looked_at)
    )
    first = looked_at[0][0][0]
    teams = {query.team.pk: query.team for query, _episode in told}
    marks = expected_in([*teams.values()], first.mode, whole) if told else []
    notes = [_note(query, episode, mark_of(episode, _of_team(marks, query.team))) for query, episode in told]
    new = [note for note in notes if note.expected is None]
    alone = looked_at[0][1] if len(looked_at) == 1 else None
    return Unusual(
        notes=[replace(note, number=number) for number, note in enumerate(new[:most], start=1)],
        expected=[note for note in notes if note.expected],
        more=len(new) - len(new[:most]),
        learning_until=alone.learning_until if alone else None,
        since=alone.window.start if alone and alone.window.start > first.range.start else None,
    )


def about_members(episodes: Iterable[Episode], member_ids: Sequence[int], *, named: bool) -> list[Episode]:
    """The members' own episodes; with `named` also those of the team that name them as a cause."""
    found: list[Episode] = []
    for episode in episodes:
        own = [one for one in (episode, *episode.own) if one.member_id in member_ids]
        found += [episode] if own and named else own
    return found


def expected_in(teams: Sequence[Team], mode: Mode, within: Range) -> list[ExpectedEpisode]:
    """The marks that may speak for an episode of these teams in a range."""
    marks = ExpectedEpisode.objects.filter(
        team__in=teams, mode=mode, starts_at__lt=within.end, ends_at__gt=within.start
    )
    return list(marks.select_related("marked_by").order_by("marked_at"))


def _of_team(marks: Iterable[ExpectedEpisode], team: Team) -> list[ExpectedEpisode]:
    return [mark for mark in marks if mark.team_id == team.pk]


Record = TypeVar("Record", bound=EpisodeRecord)


def mark_of(episode: Episode, marks: Iterable[Record]) -> Record | None:
    """The record that speaks for an episode: of one of its kinds, for some of its time (see EpisodeRecord)."""
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
    """The rings of a chart: for each bucket that has a note its numbers, and where the first leads."""
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


def _note(query: UsageQuery, episode: Episode, mark: ExpectedEpisode | None) -> Note:
    words = causes_sentence(episode.causes, episode.spread)
    made, counted = (find(query.team, query.mode, episode) for find in (calls_link, hours_link))
    return Note(0, query.team, episode, words, made, counted, mark)
