"""Makes a query coarser where single calls were deleted: whole hours or days, as the rollups have them.

All figures of a page must describe the same calls. Some come from hourly rollups, others from daily rollups or
single calls; so where single calls are gone, the whole query covers whole hours or days.
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

# SQL of a database (its vendor) for a number, 2 and the second since 1970 from which on the calls of a team are kept.
KeptSource = Callable[[str], str]

_kept_source: KeptSource | None = None
# The setting takes no less.
ALWAYS_KEPT: Final = timedelta(days=1)


def register_kept_source(source: KeptSource) -> None:
    """Registers the SQL that says since when calls are stored. `logs` calls this once; usage may not import
    logs.
    """
    global _kept_source  # set once, when the apps are ready
    _kept_source = source


def kept_select(number: int, query: UsageQuery) -> Select:
    """Selects a row (number, 2, second) if some calls of the team were deleted, to be read together with
    others.
    """
    if _kept_source is None:
        raise RuntimeError("Nothing says which calls are kept; is the app `logs` installed?")
    return _kept_source(connection.vendor), [number, query.team.pk]


def fitted(query: UsageQuery, since: datetime, by: Sequence[Dimension] = ()) -> UsageQuery:
    """The query of a page if calls are stored since `since`: by days, of whole hours or days, where no more is
    known.

    A previous period that is not known exactly is not compared with. `known` says what was left out.
    """
    # Where it is filtered, the page has figures by one dimension more.
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
    """The range without parts of hours or days for which single calls from before `since` would be needed."""
    first, last = (bucket_start(at, unit, query.zone) for at in (asked.start, asked.end))
    start, end = asked.start, asked.end
    if start != first and start < since:
        start = next_bucket(first, unit, query.zone)
    if end != last and max(last, asked.start) < since:
        end = last
    return Range(start, max(start, end))


class UnknownTimesError(ValueError):
    """A program asks for times or steps that are no longer known; the message is for people. `param` names the
    parameter.
    """

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


def checked(query: UsageQuery, by: Sequence[Dimension], typed: Sequence[str], now: datetime) -> UsageQuery:
    """The query of a program where all of it is known; one statement, or none if the hourly and daily rollups
    have it all.

    What was not `typed` (from, to, granularity) may become coarser. Raises UnknownTimesError.
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
    """The query within the time of which single calls are kept. Raises UnknownTimesError if it was typed to be
    longer.
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
