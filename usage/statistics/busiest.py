"""The busiest hours of the week: calls by weekday and hour in the team's time zone."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import sqrt

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language, ngettext

from config.formatting import plain
from usage.rollups.buckets import day_of, day_start, days_between, hour_of
from usage.rollups.folding import COUNTERS
from usage.rollups.query import Dimension, Granularity, Range, UsageQuery
from usage.rollups.reader import HOUR_ROLLUPS, narrowest
from usage.rollups.statements import CALLS, Slice, sums_of
from usage.statistics.overview import Overview

SHADES = 5
_FRACTION = 2  # 0.5 and 1.5 are plural
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Slot:
    """An hour of a weekday: its average calls, the same as text, and a colour level (0 without calls, up to 5)."""

    weekday: int  # Monday is 0
    hour: int
    calls: float
    amount: str
    label: str  # `Tue 14:00: 1,204 calls`
    shade: int


@dataclass(frozen=True)
class Busiest:
    """Seven days of 24 hours, Monday first."""

    days: list[tuple[str, list[Slot]]]

    @property
    def summary(self) -> str:
        """The three busiest hours in words; "" without calls."""
        slots = sorted((slot for _day, day in self.days for slot in day), key=lambda slot: -slot.calls)
        return "; ".join(slot.label for slot in slots[:3] if slot.calls)


def busiest_hours(query: UsageQuery, shown: Overview) -> Busiest | None:
    """The average calls in each hour of the week, over the query's range; None if no hourly rollup covers the
    query's filters.

    Also None for a range of less than a week, or one that does not begin and end on whole hours. One SQL
    statement; none if the overview has read the hours already.
    """
    ends = (query.range.start, query.range.end)
    if not _is_a_week(query) or any(at != hour_of(at, query.zone) for at in ends):
        return None
    if query.granularity is Granularity.HOUR:
        hours = [(point.start, point.figures.calls) for point in shown.points]
    elif query.filtered <= {Dimension.MODEL} or query.filtered == {Dimension.MEMBER}:
        hours = _calls_by_hour(query)
    else:
        return None
    sums = [[0.0] * 24 for _day in range(7)]
    for at, calls in hours:
        local = at.astimezone(query.zone)
        sums[local.weekday()][local.hour] += calls
    return _averaged(query, sums)


def _is_a_week(query: UsageQuery) -> bool:
    """Whether the range is a week long, by hours or by the clock: from 9:00 to 9:00 there are 167 hours if DST
    skips one.
    """
    start, end = (at.astimezone(query.zone).replace(tzinfo=None) for at in (query.range.start, query.range.end))
    return max(query.range.length, end - start) >= WEEK


def _calls_by_hour(query: UsageQuery) -> list[tuple[datetime, int]]:
    """Reads the rollup directly: months have thousands of hours, and nothing else of them is needed."""
    rollup = narrowest(HOUR_ROLLUPS, set(query.filtered))
    assert rollup is not None  # for these filters
    asked = Slice(query, rollup, query.range.start, query.range.end, by_slot=True, depth=CALLS)
    place = 1 + COUNTERS.index("calls")
    return [(row[0], row[place]) for _number, rows in sums_of([asked], ()) for row in rows]


def _averaged(query: UsageQuery, sums: list[list[float]]) -> Busiest:
    """Divides the sums by how often each hour of the week occurs; a range need not be whole weeks."""
    times = _times(query)
    means = [
        [calls / max(count, 1) for calls, count in zip(*day, strict=True)]
        for day in zip(sums, times, strict=True)
    ]
    most = max(max(day) for day in means)
    days = [str(WEEKDAYS_ABBR[weekday]) for weekday in range(7)]
    return Busiest(
        [
            (day, [_slot(weekday, hour, calls, most, day) for hour, calls in enumerate(means[weekday])])
            for weekday, day in enumerate(days)
        ]
    )


def _times(query: UsageQuery) -> list[list[int]]:
    """How often each hour of the week on the team's clock occurs in the range; the hour that DST repeats counts
    twice.

    Days of 24 hours are counted as a whole, because there are thousands of hours; single hours are counted only
    at the ends and on days of a clock change.
    """
    first, last = day_of(query.range.start, query.zone) + timedelta(days=1), day_of(query.range.end, query.zone)
    midnights = [day_start(day, query.zone) for day in days_between(first, last + timedelta(days=1))]
    by_hour = [Range(query.range.start, midnights[0]), Range(midnights[-1], query.range.end)]
    days = [0] * 7
    for place, (start, end) in enumerate(pairwise(midnights), first.weekday()):
        if end - start == DAY:
            days[place % 7] += 1
        else:
            by_hour.append(Range(start, end))
    times = [[count] * 24 for count in days]
    hourly = replace(query, granularity=Granularity.HOUR)
    for at in (at for part in by_hour for at in hourly.buckets(part)):
        local = at.astimezone(query.zone)
        times[local.weekday()][local.hour] += 1
    return times


def _slot(weekday: int, hour: int, calls: float, most: float, day: str) -> Slot:
    amount = _amount(calls)
    words = {"when": f"{day} {hour:02d}:00", "calls": amount}
    label = _label(get_language(), int(calls) if calls == int(calls) else _FRACTION) % words
    return Slot(weekday, hour, calls, amount, label, _shade(calls, most))


@lru_cache(maxsize=1_000)
def _label(_language: str | None, calls: int) -> str:
    """Cached, because a page has 168 labels."""
    return ngettext("%(when)s: %(calls)s call", "%(when)s: %(calls)s calls", calls)


def _shade(calls: float, most: float) -> int:
    # By the root, so that one hour of an incident does not make all others look alike.
    return 0 if not calls else min(1 + int(SHADES * sqrt(calls / most)), SHADES)


def _amount(calls: float) -> str:
    decimals = 1 if calls < 10 and calls != int(calls) else 0
    return plain(calls, decimals) or ""
