"""Shortens a query to whole hours or days where the single calls were deleted.

All figures of a page must be about the same calls. Some come from hourly rollups, others from daily rollups or
single calls. So if the query starts or ends within an hour or day whose single calls were deleted, that hour or
day is left out of the whole query.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from usage.rollups.buckets import day_of
from usage.rollups.query import (
    OF_SINGLE_CALLS,
    Dimension,
    Granularity,
    Known,
    Range,
    UsageQuery,
    bucket_start,
    next_bucket,
)
from usage.rollups.reader import HOUR_ROLLUPS, narrowest
from usage.rollups.statements import Select, run_union

# Returns, for a database vendor, the SQL of `kept_select`; its parameters are a number and a team id.
KeptSource = Callable[[str], str]

_kept_source: KeptSource | None = None
# The setting CALL_RETENTION_DAYS is at least one day.
ALWAYS_KEPT: Final = timedelta(days=1)


def register_kept_source(source: KeptSource) -> None:
    """Registers the function that returns the SQL for the time since which calls are stored.

    `logs` calls this once at startup, because `usage` must not import `logs`.
    """
    global _kept_source  # set once, when the apps are ready
    _kept_source = source


def kept_select(number: int, query: UsageQuery) -> Select:
    """Returns a SELECT, with its parameters, for the time since which the calls of the query's team are stored.

    It yields a row (number, 2, seconds since 1970), or none if no call of the team was deleted. It is part of a
    UNION with other SELECTs, whose rows `number` and 2 tell apart.
    """
    if _kept_source is None:
        raise RuntimeError("Nothing says which calls are kept; is the app `logs` installed?")
    return _kept_source(connection.vendor), [number, query.team.pk]


def fitted(query: UsageQuery, since: datetime, by: Sequence[Dimension] = ()) -> UsageQuery:
    """Returns the query of a page, changed where calls from before `since` would be needed, because these were
    deleted.

    Hours or days before `since` that are only partly in the range are left out, and hourly buckets become daily
    ones if necessary. A previous period that would have to be shortened is removed. If anything was changed,
    `known` of the result tells since which day all calls are stored.
    """
    # A page with a filter also groups by another dimension, and no hourly rollup has two.
    unit = Granularity.DAY if query.filtered or Dimension.TOKEN in by else Granularity.HOUR
    exact = query
    if query.granularity is Granularity.HOUR and narrowest(HOUR_ROLLUPS, {*query.filtered}) is None:
        ranges = [query.range, query.previous or query.range]
        if any(one.start < since for one in ranges):
            exact = replace(exact, granularity=Granularity.DAY)
    exact = replace(exact, range=whole(query, query.range, unit, since))
    if query.previous and whole(query, query.previous, unit, since) != query.previous:
        exact = replace(exact, previous=None)
    return query if exact == query else replace(exact, known=Known(day_of(since, query.zone), unit))


def whole(query: UsageQuery, asked: Range, unit: Granularity, since: datetime) -> Range:
    """Returns the range without the partial hours or days (`unit`) at its ends that lie before `since`.

    Their figures would need single calls, and those before `since` were deleted.
    """
    first, last = (bucket_start(at, unit, query.zone) for at in (asked.start, asked.end))
    start, end = asked.start, asked.end
    if start != first and start < since:
        start = next_bucket(first, unit, query.zone)
    if end != last and max(last, asked.start) < since:
        end = last
    return Range(start, max(start, end))


class UnknownTimesError(ValueError):
    """The API was asked for times or a granularity of which the calls were deleted.

    The message is shown to users. `param` is the name of the parameter to correct.
    """

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


def checked(query: UsageQuery, by: Sequence[Dimension], typed: Sequence[str], now: datetime) -> UsageQuery:
    """Returns the query of an API request, shortened or by days instead of hours if its calls were deleted.

    `typed` names the parameters that the request gave. Of `from`, `to` and `granularity`, only those not given
    are changed. Raises UnknownTimesError if a given one would have to change, or if nothing would be left of
    the range. Runs one SQL statement, or none if the rollups have all figures.
    """
    needed = {*by, *query.filtered} - {Dimension.TIME}
    if needed & OF_SINGLE_CALLS:
        return _of_kept_calls(query, typed, now)
    unit = Granularity.HOUR if narrowest(HOUR_ROLLUPS, needed) else Granularity.DAY
    too_fine = Dimension.TIME in by and query.granularity is Granularity.HOUR and unit is Granularity.DAY
    always = now - ALWAYS_KEPT
    if whole(query, query.range, unit, always) == query.range and not (too_fine and query.range.start < always):
        return query
    rows = run_union([kept_select(0, query)])
    since = datetime.fromtimestamp(rows[0][2], UTC) if rows else query.range.start
    day = f"{day_of(since, query.zone):%Y-%m-%d}"
    if too_fine and query.range.start < since:
        if "granularity" in typed:
            raise UnknownTimesError("granularity", _no_hours(day))
        query = replace(query, granularity=Granularity.DAY)
    counted = whole(query, query.range, unit, since)
    ends = {"from": (query.range.start, counted.start), "to": (query.range.end, counted.end)}
    for name, (asked, known) in ends.items():
        if asked != known and (name in typed or counted.start == counted.end):
            raise UnknownTimesError(name, _no_parts(day, unit))
    return replace(query, range=counted)


def _of_kept_calls(query: UsageQuery, typed: Sequence[str], now: datetime) -> UsageQuery:
    """Returns the query limited to the time of which single calls are stored.

    Raises UnknownTimesError if the request gave an earlier start, or if the whole range is earlier.
    """
    if query.range.start >= now - ALWAYS_KEPT:
        return query
    rows = run_union([kept_select(0, query)])
    since = datetime.fromtimestamp(rows[0][2], UTC) if rows else query.range.start
    if since <= query.range.start:
        return query
    if "from" in typed or query.range.end <= since:
        message = _(
            "Single calls before %s are no longer kept: of the time before, nothing is known by tag, channel, "
            "provider and outcome."
        )
        param = "from" if "from" in typed else "to"
        raise UnknownTimesError(param, message % f"{day_of(since, query.zone):%Y-%m-%d}")
    return replace(query, range=Range(since, query.range.end))


def _no_hours(day: str) -> str:
    return _(
        "Single calls before %s are no longer stored. With these filters, earlier times are only available "
        "by day."
    ) % (day,)


def _no_parts(day: str, unit: Granularity) -> str:
    if unit is Granularity.HOUR:
        text = _(
            "Single calls before %s are no longer stored. Earlier times are only available in whole hours."
        )
    else:
        text = _(
            "Single calls before %s are no longer stored. With these filters, earlier times are only "
            "available in whole days."
        )
    return text % (day,)
