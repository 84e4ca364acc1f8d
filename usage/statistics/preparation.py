"""Prepares the queries of a page before they run, so that they need fewer and smaller reads.

Most queries end at the current hour. If the rest of that day has no calls yet, the daily rollup can answer for
the day; otherwise the day is added up from hours or, for tokens and for members by model, from single calls.
Sums of past times are cached in the process until the team's version of past data (its stamp) changes. If old
calls were deleted, the query is limited to the whole hours or days that the rollups still have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from usage.quotas.levels import adapted_time
from usage.rollups.buckets import day_of, day_start, hour_of
from usage.rollups.cache import SETTLED
from usage.rollups.query import CacheVersion, Dimension, Granularity, Range, UsageQuery, next_bucket
from usage.rollups.resolution import fitted, kept_select
from usage.rollups.statements import Select, run_union


def prepared(queries: Sequence[UsageQuery], now: datetime, by: Sequence[Dimension] = ()) -> list[UsageQuery]:
    """Returns the queries with what one SQL statement finds out about the team's data.

    Each query gets the version for its cached sums (`cache_version`) and, if the rest of its last day has no
    calls, that time (`quiet`). A query that ends in the middle of an hour has no `quiet` time. If old calls
    were deleted, the query is made coarser by `usage.rollups.resolution.fitted`; `by` are the dimensions that
    the page also ranks by.
    """
    rests = [_rest_of_day(query) for query in queries]
    selects = [
        select
        for place, (query, rest) in enumerate(zip(queries, rests, strict=True))
        for select in _selects(place, query, rest)
    ]
    rows = run_union(selects)
    busy = {place for place, kind, _value in rows if kind == _IS_BUSY}
    stamps = {place: stamp for place, kind, stamp in rows if kind == _IS_STAMP}
    kept = {place: datetime.fromtimestamp(second, UTC) for place, kind, second in rows if kind == _IS_KEPT}
    found = [
        replace(
            query,
            quiet=None if place in busy else rest,
            cache_version=CacheVersion(stamps.get(place, 0), now - SETTLED),
        )
        for place, (query, rest) in enumerate(zip(queries, rests, strict=True))
    ]
    return [fitted(query, kept[place], by) if place in kept else query for place, query in enumerate(found)]


def _rest_of_day(query: UsageQuery) -> Range | None:
    end = query.range.end
    if end != hour_of(end, query.zone) or end == day_start(day_of(end, query.zone), query.zone):
        return None
    return Range(end, next_bucket(end, Granularity.DAY, query.zone))


def _selects(place: int, query: UsageQuery, rest: Range | None) -> Iterator[Select]:
    """Yields the SELECTs that `prepared` needs for one query.

    They read the team's stamp, whether it has calls in the rest of the day, and since when calls are stored.
    Each returns rows (place, kind, value), where `place` is the index of the query and `kind` is declared
    below.
    """
    team = [query.team.pk, query.mode]
    yield kept_select(place, query)
    yield _STAMP, [place, *team]
    if rest is not None:
        yield _BUSY, [place, *team, adapted_time(rest.start), adapted_time(rest.end)]


# The second column of each row says what its value means; the SQL statements contain these numbers.
_IS_STAMP, _IS_BUSY, _IS_KEPT = range(3)
_STAMP = "SELECT %s, 0, stamp FROM usage_paststamp WHERE team_id = %s AND mode = %s"
_BUSY = """SELECT %s, 1, 0 WHERE EXISTS (
  SELECT 1 FROM usage_hourmodel WHERE team_id = %s AND mode = %s AND hour >= %s AND hour < %s)"""
