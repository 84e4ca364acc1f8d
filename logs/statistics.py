"""Counting single calls: for ranges and filters that no rollup knows (see `usage.cells`)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from django.db.models import (
    Aggregate,
    Case,
    Count,
    Func,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from logs.ids import first_id
from logs.models import Call
from teams.models import Mode, Team
from usage.cells import Asked, RawRow, filters
from usage.models import Outcome, PricedBy
from usage.query import Dimension, Granularity, Range, UsageQuery
from usage.sketch import Ints, sketches_of
from usage.unusual.details import CallRow

_COLUMN = {Dimension.MEMBER: "member_id", Dimension.MODEL: "model", Dimension.TOKEN: "token_id"}
# Every zone's hours and days begin at a multiple of this.
_SLOT_SECONDS = 900


class Slot(Func):
    """The number of quarters of an hour since 1970 at which a call started."""

    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = f"floor(extract(epoch from %(expressions)s) / {_SLOT_SECONDS})::bigint"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # Four, because both the template and the statement halve them.
        template = f"(CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / {_SLOT_SECONDS})"
        return self.as_sql(compiler, connection, template=template, **extra)


class Listed(Aggregate):
    """The known values of a group, as text with commas; NULL without any. Both engines make it in one pass."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg((%(expressions)s)::text, ',')", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="group_concat(%(expressions)s, ',')", **extra)


def calls_in(query: UsageQuery, ranges: Sequence[Range]) -> QuerySet[Call]:
    """The calls of the query's team, mode and filters within the ranges, by the primary key."""
    within = [Q(id__gte=first_id(one.start), id__lt=first_id(one.end)) for one in ranges]
    return Call.objects.filter(reduce(or_, within), team_id=query.team.pk, mode=query.mode, **filters(query))


def count_calls(
    asked: Sequence[Asked], by: Sequence[Dimension], with_sketches: bool = True
) -> Iterable[RawRow]:
    """The figures of single calls by slot and dimensions, in one statement: the source `usage.cells` asks."""
    columns = [_COLUMN[dimension] for dimension in by]
    edges = {query.team.pk: [one.start for one in ranges] for query, ranges in asked}
    found, *others = [_counted(query, ranges, columns, with_sketches) for query, ranges in asked]
    rows = list(found.union(*others, all=True) if others else found)
    sketches = [sketches_of([_values(row[end]) for row in rows]) for end in (-2, -1)]
    for (team_id, slot, part, *row), latency, ttft in zip(rows, *sketches, strict=True):
        # A slot can reach back before the range's start; the calls counted here do not. Without slots (below) it
        # is the start.
        at = max(datetime.fromtimestamp(slot * _SLOT_SECONDS, UTC), edges[team_id][part])
        yield team_id, at, tuple(row[: len(columns)]), row[len(columns) : -2], latency, ttft


def _counted(
    query: UsageQuery, ranges: Sequence[Range], columns: Sequence[str], with_sketches: bool
) -> QuerySet[Any, Any]:
    """Team, slot, range, dimensions, sums, and the values that percentiles are of.

    Slots are for charts by the hour. Otherwise each range lies in one bucket, and one row for all of it is far
    less to read.
    """
    slot = Slot("started_at") if query.granularity is Granularity.HOUR else Value(0)
    rows = calls_in(query, ranges).order_by().annotate(slot=slot, part=_part(ranges))
    groups = ["team_id", "slot", "part", *columns]
    listed = {"latencies": "latency_ms", "ttfts": "ttft_ms"}
    values = {name: Listed(column) if with_sketches else Value("") for name, column in listed.items()}
    found: QuerySet[Any, Any] = rows.values(*groups).annotate(**SUMS, **values)
    return found.values_list(*groups, *SUMS, *values)


def _part(ranges: Sequence[Range]) -> Case:
    """Which of the ranges a call is in."""
    return Case(
        *(
            When(id__gte=first_id(one.start), id__lt=first_id(one.end), then=Value(index))
            for index, one in enumerate(ranges)
        ),
        output_field=IntegerField(),
    )


def _sum(column: str) -> Coalesce:
    return Coalesce(Sum(column), 0)


def _outcome(outcome: Outcome) -> Count:
    return Count("id", filter=Q(outcome=outcome))


# In the order of usage.rollups.COUNTERS.
SUMS = {
    "n_calls": Count("id"),
    "n_succeeded": _outcome(Outcome.SUCCEEDED),
    "n_client_errors": _outcome(Outcome.CLIENT_ERROR),
    "n_throttled": _outcome(Outcome.THROTTLED),
    "n_server_errors": _outcome(Outcome.SERVER_ERROR),
    "n_unpriced": Count("id", filter=Q(priced_by=PricedBy.NOTHING)),
    "n_input_tokens": _sum("input_tokens"),
    "n_output_tokens": _sum("output_tokens"),
    "n_cached_tokens": _sum("cached_tokens"),
    "n_cache_write_tokens": _sum("cache_write_tokens"),
    "n_reasoning_tokens": _sum("reasoning_tokens"),
    "n_cost_nanos": _sum("cost_nanos"),
    "n_latency_sum_ms": _sum("latency_ms"),
    "n_latency_count": Count("latency_ms"),
    "n_ttft_sum_ms": _sum("ttft_ms"),
    "n_ttft_count": Count("ttft_ms"),
}


def _values(listed: str | None) -> Ints:
    """The values that `Listed` has listed."""
    return np.fromstring(listed or "", dtype=np.int64, sep=",")


def count_by_token(team: Team, mode: Mode, ranges: Sequence[Range]) -> Iterable[CallRow]:
    """The calls of a few hours by token: the source that `usage.unusual.details` asks."""
    rows = calls_in(UsageQuery(team, mode, ranges[0]), ranges).order_by().annotate(slot=Slot("started_at"))
    groups = ("slot", "member_id", "token_id", "model")
    sums = {
        "n_calls": Count("id"),
        "n_tokens": _sum("input_tokens") + _sum("output_tokens"),
        "n_cost": _sum("cost_nanos"),
        "n_failed": Count("id", filter=~Q(outcome=Outcome.SUCCEEDED)),
    }
    for slot, *rest in rows.values(*groups).annotate(**sums).values_list(*groups, *sums):
        yield (datetime.fromtimestamp(slot * _SLOT_SECONDS, UTC), *rest)
