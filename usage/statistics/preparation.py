"""What a page finds out about its questions before it asks them, so that they take less to answer.

Most go up to the current hour. When the rest of that day has no calls, and usually it has none yet, day rollups
answer for it; without that it is added up from hours, or from single calls where no rollup knows hours (of tokens,
and of members by model). Sums of times past are kept in the process, as long as the team's stamp stays. And where
single calls were deleted, a question is made as coarse as what is still known.
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
    """The questions with what is known of the rest of their last day (`quiet`) and of their past: one statement.

    Nothing is known of the rest of a day in which a question ends within an hour. Where calls were deleted, they are
    `fitted`; `by` is what else the page ranks.
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
    """Rows (place, kind, value): the team's stamp, whether it has calls in the rest of the day, what is kept."""
    team = [query.team.pk, query.mode]
    yield kept_select(place, query)
    yield _STAMP, [place, *team]
    if rest is not None:
        yield _BUSY, [place, *team, adapted_time(rest.start), adapted_time(rest.end)]


# The kinds of rows, as the statements write them.
_IS_STAMP, _IS_BUSY, _IS_KEPT = range(3)
_STAMP = "SELECT %s, 0, stamp FROM usage_paststamp WHERE team_id = %s AND mode = %s"
_BUSY = """SELECT %s, 1, 0 WHERE EXISTS (
  SELECT 1 FROM usage_hourmodel WHERE team_id = %s AND mode = %s AND hour >= %s AND hour < %s)"""
