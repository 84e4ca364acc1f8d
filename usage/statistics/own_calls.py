"""The calls behind a number of the personal page that covers several contexts: how many are in each, with
links.

No list has the calls of several teams. So the number is broken down by context, each in its own time zone as in
`usage.statistics.own`, so that the parts add up to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from teams.models import Membership
from usage.rollups.buckets import day_of, day_start
from usage.rollups.figures import Figures, total
from usage.rollups.models import Outcome
from usage.rollups.query import Granularity, Range, UsageQuery, bucket_start, next_bucket
from usage.rollups.reader import cells_of_teams
from usage.rollups.statements import COUNTED
from usage.statistics.own import OwnQuestion

_OF_OUTCOME: dict[int, Callable[[Figures], int]] = {
    Outcome.SUCCEEDED: lambda one: one.succeeded,
    Outcome.CLIENT_ERROR: lambda one: one.client_errors,
    Outcome.THROTTLED: lambda one: one.throttled,
    Outcome.SERVER_ERROR: lambda one: one.server_errors,
}


@dataclass(frozen=True)
class Which:
    """The selected calls of a query: of the bucket that contains `at`, of the previous period, of some
    outcomes.

    `sort` is the order of the lists.
    """

    at: datetime | None = None
    is_before: bool = False
    outcomes: tuple[Outcome, ...] = ()
    is_unpriced: bool = False
    has_ttft: bool = False
    sort: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all calls of the range are selected, whose tokens and cost are then known too."""
        return not (self.outcomes or self.is_unpriced or self.has_ttft)

    def count(self, figures: Figures) -> int:
        """How many calls of the figures are selected."""
        if self.outcomes:
            return sum(_OF_OUTCOME[outcome](figures) for outcome in self.outcomes)
        if self.is_unpriced:
            return figures.unpriced
        return figures.ttft_count if self.has_ttft else figures.calls

    @property
    def narrower(self) -> dict[str, Any]:
        """The same as the filters of a list."""
        asked: dict[str, Any] = {"outcome": [outcome.word for outcome in self.outcomes], "sort": self.sort}
        asked |= {"unpriced": "yes" if self.is_unpriced else "", "ttft_from": "0" if self.has_ttft else ""}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True)
class Place:
    """The calls in one context: their time range in its time zone, how many, and the address of their list."""

    membership: Membership
    within: Range
    figures: Figures
    calls: int
    href: str


@dataclass(frozen=True)
class OwnCalls:
    """The contexts with such calls, most first; `within` is the time range in the time zone of the whole."""

    which: Which
    within: Range
    places: list[Place] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return sum(place.calls for place in self.places)

    @property
    def figures(self) -> Figures:
        return total(place.figures for place in self.places)


def own_calls(asked: OwnQuestion, which: Which) -> OwnCalls:
    """Counts the calls by context, in the statements of one."""
    narrowed = [(query, _within(asked.whole, query, which)) for query in asked.parts]
    parts = [(replace(query, previous=None), [one]) for query, one in narrowed if one.start < one.end]
    found = cells_of_teams(parts, [], depths=[COUNTED])
    figures = {
        query.team.pk: cells.get((), Figures()) for (query, _ranges), (cells,) in zip(parts, found, strict=True)
    }
    places = _places(asked, [within for _query, within in narrowed], figures, which)
    return OwnCalls(which, _within(asked.whole, asked.whole, which), places)


def _places(
    asked: OwnQuestion, ranges: Sequence[Range], figures: dict[int, Figures], which: Which
) -> list[Place]:
    places = []
    for membership, way, within in zip(asked.memberships, asked.ways, ranges, strict=True):
        of_team = figures.get(membership.team_id) or Figures()
        if way and (calls := which.count(of_team)):
            places.append(Place(membership, within, of_team, calls, way.to(within, **which.narrower)))
    return sorted(places, key=lambda place: -place.calls)


def _within(whole: UsageQuery, part: UsageQuery, which: Which) -> Range:
    """The range of a part: its period, or the part of it that belongs to the bucket of the whole."""
    period = part.previous if which.is_before and part.previous else part.range
    if which.at is None:
        return period
    start = bucket_start(which.at, whole.granularity, whole.zone)
    end = next_bucket(start, whole.granularity, whole.zone)
    start, end = (_on_clock_of(part, whole, at) for at in (start, end))
    return Range(max(start, period.start), min(end, period.end))


def _on_clock_of(part: UsageQuery, whole: UsageQuery, at: datetime) -> datetime:
    """The start of a part's bucket that matches the bucket of the whole at `at`: the same date, or its next
    hour.
    """
    if part.zone == whole.zone:
        return at
    if whole.granularity is not Granularity.HOUR:
        return day_start(day_of(at, whole.zone), part.zone)
    start = bucket_start(at, Granularity.HOUR, part.zone)
    return start if start == at else next_bucket(start, Granularity.HOUR, part.zone)
