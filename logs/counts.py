"""Counting what a question of `usage` covers, without percentiles: what lists and menus of the logs need.

`usage.cells` answers with distributions, too; joining those takes most of its time.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet, Sum

from logs.statistics import SUMS, calls_in
from usage.cells import COLUMN, DAY_ROLLUPS, HOUR_ROLLUPS, cut, filters, narrowest, space_of
from usage.models import Counters
from usage.query import Dimension, UsageQuery

Counts = dict[Any, list[int]]


def counts_of(query: UsageQuery, by: Dimension | None, counters: Sequence[str] = ("calls",)) -> Counts:
    """Sums of some COUNTERS over the range, by member, model or token; of all under None without `by`."""
    needed = {*query.filtered, *([by] if by else [])}
    pieces = cut(query.range, query, needed, hourly=False)
    found: defaultdict[Any, list[int]] = defaultdict(lambda: [0] * len(counters))
    parts: list[QuerySet[Any, Any]] = []
    for rollups, ranges in (
        (DAY_ROLLUPS, [Q(day__gte=first, day__lt=after) for first, after in pieces.days]),
        (HOUR_ROLLUPS, [Q(hour__gte=one.start, hour__lt=one.end) for one in pieces.hours]),
    ):
        if ranges and (rollup := narrowest(rollups, needed)):
            parts.append(_rollup_sums(query, rollup, ranges, by, counters))
    if pieces.rest:
        sums = {f"n_{name}": SUMS[f"n_{name}"] for name in counters}
        parts.append(_grouped(calls_in(query, pieces.rest), by, sums))
    for part in parts:
        for value, *numbers in part:
            key = value if by else None
            found[key] = [old + (new or 0) for old, new in zip(found[key], numbers, strict=True)]
    return dict(found)


def _rollup_sums(
    query: UsageQuery,
    rollup: type[Counters],
    ranges: Sequence[Q],
    by: Dimension | None,
    counters: Sequence[str],
) -> QuerySet[Any, Any]:
    rows = rollup._default_manager.filter(reduce(or_, ranges), **space_of(query), **filters(query))
    return _grouped(rows, by, {f"n_{name}": Sum(name) for name in counters})


def _grouped(rows: QuerySet[Any], by: Dimension | None, sums: dict[str, Any]) -> QuerySet[Any, Any]:
    """The sums by the column of a dimension; without one by the mode, of which there is only one here."""
    column = COLUMN[by] if by else "mode"
    grouped: QuerySet[Any, Any] = rows.order_by().values(column).annotate(**sums)
    return grouped.values_list(column, *sums)
