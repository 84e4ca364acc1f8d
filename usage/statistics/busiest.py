"""The busiest hours of the week: average calls by weekday and hour on the team's clock."""

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
_FRACTION = 2  # the number that selects the plural for fractions such as 0.5 and 1.5
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Slot:
    """One hour of one weekday: its average number of calls, as a number and as text, and its colour.

    `shade` goes from 0 (no calls) to 5 (the busiest hour).
    """

    weekday: int  # Monday is 0
    hour: int
    calls: float
    amount: str
    label: str  # `Tue 14:00: 1,204 calls`
    shade: int


@dataclass(frozen=True)
class Busiest:
    """The seven days of the week, Monday first, each with its name and 24 hours."""

    days: list[tuple[str, list[Slot]]]

    @property
    def summary(self) -> str:
        """The three busiest hours as text, separated by semicolons; "" if there are no calls."""
        slots = sorted((slot for _day, day in self.days for slot in day), key=lambda slot: -slot.calls)
        return "; ".join(slot.label for slot in slots[:3] if slot.calls)


def busiest_hours(query: UsageQuery, shown: Overview) -> Busiest | None:
    """Returns the average number of calls in each hour of the week over the query's range.

    None for a range of less than a week, for one that does not begin and end on whole hours, and if no hourly
    rollup covers the query's filters. Runs one SQL statement, or none if `shown` already has hourly points.
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
    """Whether the range is at least a week long, by elapsed hours or by the clock.

    Both count: from 9:00 to 9:00 a week later, only 167 hours pass if daylight saving time skips one.
    """
    start, end = (at.astimezone(query.zone).replace(tzinfo=None) for at in (query.range.start, query.range.end))
    return max(query.range.length, end - start) >= WEEK


def _calls_by_hour(query: UsageQuery) -> list[tuple[datetime, int]]:
    """Reads (start of the hour, calls) from an hourly rollup, without the usual objects for each hour.

    A range of months has thousands of hours, and nothing but the number of calls is needed.
    """
    rollup = narrowest(HOUR_ROLLUPS, set(query.filtered))
    assert rollup is not None  # for these filters
    asked = Slice(query, rollup, query.range.start, query.range.end, by_slot=True, depth=CALLS)
    place = 1 + COUNTERS.index("calls")
    return [(row[0], row[place]) for _number, rows in sums_of([asked], ()) for row in rows]


def _averaged(query: UsageQuery, sums: list[list[float]]) -> Busiest:
    """Divides the calls of each hour of the week (`sums`, 7 × 24) by how often that hour is in the range."""
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
    """Counts how often each hour of the week occurs in the range, on the team's clock: 7 × 24 numbers.

    An hour that daylight saving time repeats counts twice. Days of 24 hours are counted as a whole, because
    single hours would be thousands; single hours are counted only at the ends of the range and on days when the
    clock changes.
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
    """Returns the text of a slot, with placeholders; cached, because a page has 168 such texts."""
    return ngettext("%(when)s: %(calls)s call", "%(when)s: %(calls)s calls", calls)


def _shade(calls: float, most: float) -> int:
    # By the square root, because one extreme hour would make all others look alike.
    return 0 if not calls else min(1 + int(SHADES * sqrt(calls / most)), SHADES)


def _amount(calls: float) -> str:
    decimals = 1 if calls < 10 and calls != int(calls) else 0
    return plain(calls, decimals) or ""
