"""What a page tells of the unusual: the few episodes that matter to this reader, those that were expected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.utils.translation import gettext as _

from teams.models import Mode, Team
from usage.models import EpisodeRecord, ExpectedEpisode
from usage.query import Range, UsageQuery
from usage.statistics import Point
from usage.unusual.episodes import Cause, Episode, Kind, calls_link, in_range, overlap
from usage.unusual.find import find_unusual

MOST_SHOWN = 5


@dataclass(frozen=True)
class Note:
    """An episode as a footnote: its number in the chart, its words, the address of its calls."""

    number: int
    episode: Episode
    causes: str
    link: str
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

    @property
    def members(self) -> dict[str, Note]:
        """By public id of the members that a note is about, for their lines in the ranking."""
        found: dict[str, Note] = {}
        for note in self.notes:
            for key in note.episode.member_keys:
                found.setdefault(key, note)
        return found


def unusual_in(query: UsageQuery, *, sees_team: bool, now: datetime, most: int | None = MOST_SHOWN) -> Unusual:
    """What is told for a question: the team's episodes; with members filtered by, theirs.

    Somebody who does not see the team is told only of their own calls. `most`: how many are told; None, all.
    """
    if query.models or query.tokens:
        return Unusual([], [], is_filtered=True)
    found = find_unusual(query.team, query.mode, query.range, now)
    episodes = in_range(found.episodes, query.range)
    if query.members:
        episodes = about_members(episodes, query.members, named=sees_team)
    marks = expected_in(query.team, query.mode, found.window) if episodes else []
    notes = [_note(query, episode, mark_of(episode, marks)) for episode in episodes]
    told = [note for note in notes if note.expected is None]
    return Unusual(
        notes=[_numbered(note, number) for number, note in enumerate(told[:most], start=1)],
        expected=[note for note in notes if note.expected],
        more=len(told) - len(told[:most]),
        learning_until=found.learning_until,
        since=found.window.start if found.window.start > query.range.start else None,
    )


def about_members(episodes: Iterable[Episode], member_ids: Sequence[int], *, named: bool) -> list[Episode]:
    """The members' own episodes; with `named` also those of the team that name them as a cause."""
    found: list[Episode] = []
    for episode in episodes:
        own = [one for one in (episode, *episode.own) if one.member_id in member_ids]
        found += [episode] if own and named else own
    return found


def expected_in(team: Team, mode: Mode, within: Range) -> list[ExpectedEpisode]:
    """The marks that may speak for an episode in a range."""
    marks = ExpectedEpisode.objects.filter(
        team=team, mode=mode, starts_at__lt=within.end, ends_at__gt=within.start
    )
    return list(marks.select_related("marked_by").order_by("marked_at"))


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
    return Note(0, episode, words, calls_link(query.team, query.mode, episode), mark)


def _numbered(note: Note, number: int) -> Note:
    return Note(number, note.episode, note.causes, note.link)
