"""Breaks a number of the personal page down by context: how many of its calls are in each team.

The list of calls shows one team at a time, so a number that covers several teams cannot link to a single list.
Each context is counted in its own time zone, as in `usage.statistics.own`, so that the contexts add up to the
number.
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
    """Selects which calls of a query are counted; without arguments all of them are.

    `at` selects the time bucket that contains this instant, `is_before` the previous period, and the other
    flags calls with a certain outcome, without a price, or with a time to first token. `sort` is the order of
    the linked lists of calls.
    """

    at: datetime | None = None
    is_before: bool = False
    outcomes: tuple[Outcome, ...] = ()
    is_unpriced: bool = False
    has_ttft: bool = False
    sort: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all calls of the time range are selected; only then are their tokens and cost known, too."""
        return not (self.outcomes or self.is_unpriced or self.has_ttft)

    def count(self, figures: Figures) -> int:
        """Returns how many of the calls in `figures` are selected."""
        if self.outcomes:
            return sum(_OF_OUTCOME[outcome](figures) for outcome in self.outcomes)
        if self.is_unpriced:
            return figures.unpriced
        return figures.ttft_count if self.has_ttft else figures.calls

    @property
    def narrower(self) -> dict[str, Any]:
        """The selection as query parameters of the list of calls; parameters without a value are left out."""
        asked: dict[str, Any] = {"outcome": [outcome.word for outcome in self.outcomes], "sort": self.sort}
        asked |= {"unpriced": "yes" if self.is_unpriced else "", "ttft_from": "0" if self.has_ttft else ""}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True)
class Place:
    """The selected calls in one context: their number and figures, and the address of the list that shows them.

    `within` is their time range, in the context's own time zone.
    """

    membership: Membership
    within: Range
    figures: Figures
    calls: int
    href: str


@dataclass(frozen=True)
class OwnCalls:
    """The contexts that have selected calls, those with most calls first.

    `within` is the time range of all contexts together, in the time zone of the personal page.
    """

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
    """Counts the selected calls in each context, with as many SQL statements as a single context needs."""
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
    """Returns the time range of the selected calls in one context.

    It is the whole period or, if `which.at` is set, the part of it that corresponds to that time bucket of the
    chart. `whole` is the query of all contexts together, which defines the buckets.
    """
    period = part.previous if which.is_before and part.previous else part.range
    if which.at is None:
        return period
    start = bucket_start(which.at, whole.granularity, whole.zone)
    end = next_bucket(start, whole.granularity, whole.zone)
    start, end = (_on_clock_of(part, whole, at) for at in (start, end))
    return Range(max(start, period.start), min(end, period.end))


def _on_clock_of(part: UsageQuery, whole: UsageQuery, at: datetime) -> datetime:
    """Converts the edge `at` of a chart's time bucket to the clock of one context.

    Days, weeks and months keep their date. An hour moves to the next full hour on the context's clock, unless
    it is full there, too.
    """
    if part.zone == whole.zone:
        return at
    if whole.granularity is not Granularity.HOUR:
        return day_start(day_of(at, whole.zone), part.zone)
    start = bucket_start(at, Granularity.HOUR, part.zone)
    return start if start == at else next_bucket(start, Granularity.HOUR, part.zone)
