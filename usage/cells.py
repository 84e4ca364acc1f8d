"""Reading the rollups: any question in a handful of statements, each one index range.

A range of time is cut into whole days, whole hours and the rest. Days come from the day rollups, hours at
the edges from the hour rollups, and what no rollup knows (minutes, or hours of a combination of filters)
from the calls themselves, through the source that `logs` registers here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial, reduce
from operator import or_
from typing import Any

from django.db.models import Aggregate, BinaryField, Case, F, Q, Sum, Value, When

from usage.buckets import day_of, day_start
from usage.figures import Figures
from usage.models import Counters, DayDetail, DayMember, DayModel, DayToken, HourMember, HourModel
from usage.query import Dimension, Granularity, Range, UsageQuery, bucket_start, next_bucket
from usage.rollups import COUNTERS

Key = tuple[Any, ...]
Cells = dict[Key, Figures]
# A row: dimensions as asked, an instant for the time among them, then counters, then two sketches.
RawRow = tuple[Key, Sequence[int], bytes, bytes]
RawSource = Callable[[UsageQuery, Sequence[Dimension], Sequence[Range]], Iterable[RawRow]]

_raw_source: RawSource | None = None


def register_raw_source(source: RawSource) -> None:
    """Called by `logs` once: how to count calls that no rollup can (usage may not import logs)."""
    global _raw_source  # set once, when the apps are ready
    _raw_source = source


class Joined(Aggregate):
    """Sketches of a group one after the other, which is a sketch of all of them."""

    function = "string_agg"
    output_field = BinaryField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg(%(expressions)s, ''::bytea)", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(group_concat(%(expressions)s, '') AS BLOB)"
        return self.as_sql(compiler, connection, template=template, **extra)


@dataclass(frozen=True)
class Pieces:
    """A range cut into what the rollups know."""

    days: tuple[tuple[date, date], ...]  # [first, after last)
    hours: tuple[Range, ...]
    rest: tuple[Range, ...]


COLUMN = {Dimension.MEMBER: "member_id", Dimension.MODEL: "model", Dimension.TOKEN: "token_id"}
HOUR_ROLLUPS: tuple[type[Counters], ...] = (HourModel, HourMember)
DAY_ROLLUPS: tuple[type[Counters], ...] = (DayModel, DayMember, DayToken, DayDetail)


@dataclass
class SingleCalls:
    """Single calls by these dimensions, read once for all the questions of a page that need the same ones."""

    by: tuple[Dimension, ...]
    _read: dict[tuple[UsageQuery, tuple[Range, ...]], list[RawRow]] = field(default_factory=dict)

    def rows(self, query: UsageQuery, asked: Sequence[Dimension], ranges: Sequence[Range]) -> Iterable[RawRow]:
        """The rows by the dimensions `asked`, which must be among `by`; one key may come several times."""
        if _raw_source is None:
            raise RuntimeError("No source of single calls is registered; is the app `logs` installed?")
        same_calls = replace(query, granularity=Granularity.DAY, previous=None), tuple(ranges)
        if same_calls not in self._read:
            self._read[same_calls] = list(_raw_source(query, self.by, ranges))
        places = [self.by.index(dimension) for dimension in asked]
        for (at, *values), counters, latency, ttft in self._read[same_calls]:
            yield (at, *(values[place] for place in places)), counters, latency, ttft


def cells(
    query: UsageQuery, by: Sequence[Dimension], ranges: Sequence[Range], single: SingleCalls | None = None
) -> list[Cells]:
    """For each range the figures of each combination of `by` that has calls.

    Keys have their values in the order of `by`: an instant (bucket start), a user id, a model, a token id.
    The ranges must not overlap, so that one statement can answer for all of them. `single` is shared by
    questions that are asked together.
    """
    single = single or SingleCalls(tuple(dimension for dimension in by if dimension is not Dimension.TIME))
    needed = {*by, *query.filtered} - {Dimension.TIME}
    pieces = [cut(one, query, needed, hourly=_is_hourly(query, by)) for one in ranges]
    answer: list[Cells] = [{} for _ in ranges]
    for key, at, counters, latency, ttft in _rows(query, by, needed, pieces, single):
        for one, found in zip(ranges, answer, strict=True):
            if at in one:
                found.setdefault(key, Figures()).add(counters, latency, ttft)
                break
    return answer


def _is_hourly(query: UsageQuery, by: Sequence[Dimension]) -> bool:
    return Dimension.TIME in by and query.granularity is Granularity.HOUR


def cut(asked: Range, query: UsageQuery, needed: set[Dimension], *, hourly: bool) -> Pieces:
    """The days, hours and rest of a range; `hourly` when days are too coarse for the answer."""
    hours_known = narrowest(HOUR_ROLLUPS, needed) is not None
    up, down = partial(_boundary, query, up=True), partial(_boundary, query, up=False)
    day_from, day_to = up(asked.start, Granularity.DAY), down(asked.end, Granularity.DAY)
    outside = [asked]
    days: list[tuple[date, date]] = []
    if day_from < day_to and not hourly:
        days = [(day_of(day_from, query.zone), day_of(day_to, query.zone))]
        outside = [Range(asked.start, day_from), Range(day_to, asked.end)]
    hours: list[Range] = []
    rest: list[Range] = []
    for one in outside:
        hour_from, hour_to = up(one.start, Granularity.HOUR), down(one.end, Granularity.HOUR)
        if hours_known and hour_from < hour_to:
            hours.append(Range(hour_from, hour_to))
            rest += [Range(one.start, hour_from), Range(hour_to, one.end)]
        else:
            rest.append(one)
    return Pieces(tuple(days), tuple(hours), tuple(one for one in rest if one.start < one.end))


def _boundary(query: UsageQuery, at: datetime, granularity: Granularity, *, up: bool) -> datetime:
    """The bucket boundary at `at` or next to it, after or before."""
    start = bucket_start(at, granularity, query.zone)
    return start if start == at or not up else next_bucket(start, granularity, query.zone)


def narrowest(rollups: Iterable[type[Counters]], needed: set[Dimension]) -> type[Counters] | None:
    """The first, smallest rollup that has all these dimensions."""
    columns = {COLUMN[dimension] for dimension in needed}
    return next((rollup for rollup in rollups if columns <= set(rollup.DIMENSIONS)), None)


_Row = tuple[Key, datetime, Sequence[int], bytes, bytes]


def _rows(
    query: UsageQuery,
    by: Sequence[Dimension],
    needed: set[Dimension],
    pieces: Sequence[Pieces],
    single: SingleCalls,
) -> Iterable[_Row]:
    """The rows of all pieces, each with the instant that tells which range it belongs to."""
    days = [Q(day__gte=first, day__lt=after) for piece in pieces for first, after in piece.days]
    if days and (rollup := narrowest(DAY_ROLLUPS, needed)):
        edges = [day_start(first, query.zone) for piece in pieces for first, _after in piece.days]
        yield from _from_rollup(query, by, rollup, "day", days, edges)
    hours = [Q(hour__gte=one.start, hour__lt=one.end) for piece in pieces for one in piece.hours]
    if hours and (rollup := narrowest(HOUR_ROLLUPS, needed)):
        edges = [one.start for piece in pieces for one in piece.hours]
        yield from _from_rollup(query, by, rollup, "hour", hours, edges)
    rest = [one for piece in pieces for one in piece.rest]
    if rest:
        asked = [dimension for dimension in by if dimension is not Dimension.TIME]
        for (at, *values), counters, latency, ttft in single.rows(query, asked, rest):
            bucket = bucket_start(at, query.granularity, query.zone)
            yield _key(by, bucket, values), at, counters, latency, ttft


def _from_rollup(
    query: UsageQuery,
    by: Sequence[Dimension],
    rollup: type[Counters],
    column: str,
    ranges: Sequence[Q],
    edges: Sequence[datetime],
) -> Iterable[_Row]:
    """One statement over one rollup, grouped in the database. `edges` are the starts of the `ranges`."""
    rows = rollup._default_manager.filter(reduce(or_, ranges), **space_of(query), **filters(query))
    groups = [COLUMN[dimension] for dimension in by if dimension is not Dimension.TIME]
    sums = {f"sum_{name}": Sum(name) for name in COUNTERS}
    sketches = {"latency": Joined("latency_sketch"), "ttft": Joined("ttft_sketch")}
    if Dimension.TIME in by:
        slot: Any = F(column)
    else:  # which of the ranges is enough, and makes far fewer rows
        slot = Case(*(When(one, then=Value(index)) for index, one in enumerate(ranges)))
    found = rows.order_by().annotate(slot=slot).values("slot", *groups).annotate(**sums, **sketches)
    zone = query.zone
    times: dict[Any, tuple[datetime, datetime]] = {}  # of many rows with the same slot each is worked out once
    for at, *values in found.values_list("slot", *groups, *sums, *sketches):
        if at not in times:
            instant = edges[at] if isinstance(at, int) else day_start(at, zone) if column == "day" else at
            times[at] = instant, bucket_start(instant, query.granularity, zone)
        instant, bucket = times[at]
        key = _key(by, bucket, values[: len(groups)])
        yield key, instant, values[len(groups) : -2], bytes(values[-2]), bytes(values[-1])


def space_of(query: UsageQuery) -> dict[str, Any]:
    return {"team_id": query.team.pk, "mode": query.mode}


def filters(query: UsageQuery) -> dict[str, Any]:
    """The query's filters as Django's keyword arguments; calls and rollups name their columns alike."""
    asked = {"member_id__in": query.members, "model__in": query.models, "token_id__in": query.tokens}
    return {name: values for name, values in asked.items() if values}


def _key(by: Sequence[Dimension], bucket: datetime, values: Sequence[Any]) -> Key:
    rest = iter(values)
    return tuple(bucket if dimension is Dimension.TIME else next(rest) for dimension in by)
