"""Episodes: anomalies as users see them. Incidents of several kinds at the same time become one episode."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from teams.models import Mode, Team
from usage.rollups.query import Range, on_the_clock


class Kind(StrEnum):
    """What was unusual about the calls."""

    CALLS = "calls"
    TOKENS = "tokens"
    COST = "cost"
    ERRORS = "errors"
    LATENCY = "latency"
    MEMBER = "member"

    @property
    def label(self) -> str:
        return str(_LABELS[self])


_LABELS = {
    Kind.CALLS: _("calls"),
    Kind.TOKENS: _("tokens"),
    Kind.COST: _("cost"),
    Kind.ERRORS: _("failures"),
    Kind.LATENCY: _("latency"),
    Kind.MEMBER: _("a member’s calls"),
}
# Kinds that describe the same incident when their hours overlap: more calls also cost more, and a provider
# in trouble is slow and fails.
VOLUME = frozenset({Kind.CALLS, Kind.TOKENS, Kind.COST})
QUALITY = frozenset({Kind.ERRORS, Kind.LATENCY})


@dataclass(frozen=True)
class Cause:
    """A member, token, model or kind of failure that caused a part of an episode.

    `share` is its part of the whole excess.
    """

    dimension: str  # "member", "token", "model", "outcome"
    key: str  # as filters of the list of calls write it: public id, model, word of an outcome
    label: str
    share: float  # 0 to 1
    cell: int | str = ""  # as database queries need it: database id, model, outcome


@dataclass(frozen=True)
class Episode:
    """One anomaly as users see it.

    `start` and `end` (UTC) are its hours in the kind that describes it. `told` are the hours that its sentence
    counts. `whole` covers the hours of all its kinds.
    """

    kind: Kind
    start: datetime
    end: datetime
    peak: datetime  # the start of its most unusual hour
    score: float  # an alarm if >= 1
    importance: float
    sentence: str
    whole: Range
    told: Range
    causes: tuple[Cause, ...] = ()
    spread: tuple[str, ...] = ()  # dimensions in which the excess is spread over many cells
    kinds: tuple[Kind, ...] = ()
    member_id: int = 0  # user id of the member, for the kind MEMBER
    member: str = ""  # public id of the same member
    slower_than_ms: int = 0  # for the kind LATENCY: calls that took longer are slow
    is_lack: bool = False  # less than usual, so there are no calls to link to
    own: tuple["Episode", ...] = ()  # episodes of members that were merged into this episode of the team

    @property
    def key(self) -> str:
        """The identifier of the episode in forms and in the API.

        It consists of kind and start and, for an episode about a member, the public id.
        """
        name = f"{self.kind}-{self.start.astimezone(UTC):%Y%m%dT%H%MZ}"
        return f"{name}-{self.member}" if self.member else name

    def keys_of(self, dimension: str) -> set[str]:
        """Returns which members, tokens or models (`dimension`) the episode is about or was caused by.

        Members and tokens are public ids, models are names.
        """
        named = {cause.key for cause in self.causes if cause.dimension == dimension}
        return named | ({self.member} if self.member and dimension == "member" else set())

    def is_about(self, filters: Mapping[str, Set[int | str]]) -> bool:
        """Whether the episode is about, or was caused by, a selected value of each filtered dimension.

        `filters` has database ids of members and tokens, and names of models, by dimension; an empty set is no
        filter.
        """
        return all(cells & self._cells_of(dimension) for dimension, cells in filters.items() if cells)

    def _cells_of(self, dimension: str) -> set[int | str]:
        named = {cause.cell for cause in self.causes if cause.dimension == dimension}
        return named | ({self.member_id} if self.member_id and dimension == "member" else set())

    @property
    def also(self) -> list[str]:
        """The labels of the other kinds of the same incident, for example “cost” besides “calls”."""
        return [kind.label for kind in self.kinds if kind is not self.kind]

    @property
    def within(self) -> Range:
        return Range(self.start, self.end)


def overlap(one: Range, other: Range) -> bool:
    """Whether two time ranges have any time in common."""
    return one.start < other.end and other.start < one.end


def calls_link(team: Team, mode: Mode, episode: Episode) -> str:
    """Returns the address of the list of an episode's calls: those in its hours, narrowed to its causes."""
    query = _hours(team, mode, episode, episode.within)
    for cause in () if episode.is_lack else episode.causes:
        query.appendlist(cause.dimension, cause.key)
    if episode.slower_than_ms:
        query["latency_from"] = str(episode.slower_than_ms + 1)
    return _logs(team, query)


def hours_link(team: Team, mode: Mode, episode: Episode) -> str:
    """Returns the address of the list of all calls in the hours that the episode's sentence counts.

    For an episode about a member, only this member's calls are listed.
    """
    return _logs(team, _hours(team, mode, episode, episode.told))


def _hours(team: Team, mode: Mode, episode: Episode, within: Range) -> QueryDict:
    query = QueryDict(mutable=True)
    query["from"], query["to"] = (on_the_clock(at, team.zone) for at in (within.start, within.end))
    if episode.member:
        query["member"] = episode.member
    if mode is Mode.TEST:
        query["mode"] = mode.word
    return query


def _logs(team: Team, query: QueryDict) -> str:
    return f"/t/{team.slug}/logs/?{query.urlencode()}"


def importance(score: float, weight: float) -> float:
    """Returns how much an episode matters: its score times the logarithm of its weight.

    `weight` is the excess in multiples of the team's usual hour (1: as much as the team does in an hour). The
    logarithm prevents one huge month from hiding everything else.
    """
    return score * float(np.log2(2 + max(weight, 0.0)))


def merged(episodes: Iterable[Episode]) -> list[Episode]:
    """Merges incidents into episodes, most important first.

    Calls, tokens and cost in the same hours are one episode, described by the most important kind of them; so
    are failures and latency. A member's own episode joins the team's episode if that names the member as a
    cause.
    """
    found: list[Episode] = []
    for one in sorted(episodes, key=_told_first):
        place = next((index for index, other in enumerate(found) if _same_incident(other, one)), None)
        if place is None:
            found.append(replace(one, kinds=(one.kind,)))
        else:
            found[place] = _joined(found[place], one)
    return sorted(found, key=lambda episode: (-episode.importance, episode.start))


def _told_first(episode: Episode) -> tuple[bool, float]:
    """Returns the sort key by which the incident that describes a merged episode comes first.

    The team comes before its members, and calls before other kinds unless another kind is clearly more
    important.
    """
    return episode.kind is Kind.MEMBER, -episode.importance * (1.5 if episode.kind is Kind.CALLS else 1.0)


def _same_incident(one: Episode, other: Episode) -> bool:
    if not overlap(one.whole, other.whole):
        return False
    if other.kind is Kind.MEMBER:
        return one.kind in VOLUME and other.member in one.keys_of("member")
    return any(one.kind in group and other.kind in group for group in (VOLUME, QUALITY))


def _joined(one: Episode, other: Episode) -> Episode:
    whole = Range(min(one.whole.start, other.whole.start), max(one.whole.end, other.whole.end))
    kinds = (*one.kinds, *([] if other.kind in one.kinds else [other.kind]))
    own = (*one.own, *([replace(other, kinds=(other.kind,))] if other.kind is Kind.MEMBER else []))
    return replace(one, whole=whole, kinds=kinds, own=own, importance=max(one.importance, other.importance))


def in_range(episodes: Sequence[Episode], within: Range) -> list[Episode]:
    """Returns the episodes that overlap a time range, in the same order."""
    return [episode for episode in episodes if overlap(episode.whole, within)]
