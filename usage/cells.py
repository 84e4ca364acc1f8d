"""Reading the rollups: any question in a handful of statements, each one index range.

A range of time is cut into whole days, whole hours and the rest. Days come from the day rollups, hours at
the edges from the hour rollups, and what no rollup knows (minutes, or hours of a combination of filters)
from the calls themselves, through the source that `logs` registers here. The same question about several
teams, each with its own clock, takes no more statements than about one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial, reduce
from operator import or_
from typing import Any

from django.db.models import Aggregate, BigIntegerField, BinaryField, Case, F, Q, QuerySet, Sum, Value, When

from usage.buckets import day_of, day_start
from usage.figures import Figures
from usage.models import Counters, DayDetail, DayMember, DayModel, DayToken, HourMember, HourModel
from usage.query import Dimension, Granularity, Range, UsageQuery, bucket_start, next_bucket
from usage.rollups import COUNTERS

Key = tuple[Any, ...]
Cells = dict[Key, Figures]
# A question and the ranges of time it is asked about, which must not overlap.
Asked = tuple[UsageQuery, Sequence[Range]]
# The team, an instant, dimensions as asked, counters, two sketches.
RawRow = tuple[int, datetime, Key, Sequence[int], bytes, bytes]
RawSource = Callable[[Sequence[Asked], Sequence[Dimension]], Iterable[RawRow]]

_raw_source: RawSource | None = None


def register_raw_source(source: RawSource) -> None:
    """Called by `logs` once: how to count calls that no rollup can (usage may not import logs)."""
    global _raw_source  # set once, when the apps are ready
    _raw_source = source


class Total(Sum):
    """A sum that both databases answer as a whole number: Django need not convert each of thousands."""

    output_field = BigIntegerField()
    convert_value = staticmethod(Sum._convert_value_noop)  # type: ignore[attr-defined]  # not in the stubs

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="SUM(%(expressions)s)::bigint", **extra)


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
    _read: dict[tuple[tuple[UsageQuery, tuple[Range, ...]], ...], list[RawRow]] = field(default_factory=dict)

    def rows(self, asked: Sequence[Asked], by: Sequence[Dimension]) -> Iterable[RawRow]:
        """The rows by the dimensions `by`, which must be among its own; one key may come several times."""
        if _raw_source is None:
            raise RuntimeError("No source of single calls is registered; is the app `logs` installed?")
        same_calls = tuple((replace(query, previous=None), tuple(ranges)) for query, ranges in asked)
        if same_calls not in self._read:
            self._read[same_calls] = list(_raw_source(asked, self.by))
        places = [self.by.index(dimension) for dimension in by]
        for team_id, at, values, counters, latency, ttft in self._read[same_calls]:
            yield team_id, at, tuple(values[place] for place in places), counters, latency, ttft


def cells(
    query: UsageQuery,
    by: Sequence[Dimension],
    ranges: Sequence[Range],
    single: SingleCalls | None = None,
    *,
    sketches: bool = True,
) -> list[Cells]:
    """For each range the figures of each combination of `by` that has calls.

    Keys have their values in the order of `by`: an instant (bucket start), a user id, a model, a token id.
    The ranges must not overlap, so that one statement can answer for all of them. `single` is shared by
    questions that are asked together. Without `sketches` no percentiles can be worked out, in a fourth of the
    time where there are many combinations.
    """
    return cells_of_teams([(query, ranges)], by, single, sketches=sketches)[0]


def cells_of_teams(
    asked: Sequence[Asked],
    by: Sequence[Dimension],
    single: SingleCalls | None = None,
    *,
    sketches: bool = True,
) -> list[list[Cells]]:
    """The same for each question, all in the statements of one; they differ in their teams and ranges only."""
    if not asked:
        return []
    single = single or SingleCalls(tuple(dimension for dimension in by if dimension is not Dimension.TIME))
    answers: dict[int, tuple[Sequence[Range], list[Cells]]] = {
        query.team.pk: (ranges, [{} for _ in ranges]) for query, ranges in asked
    }
    for team_id, at, key, counters, latency, ttft in _rows(asked, by, single, sketches):
        figures = Figures.of_row(counters, latency, ttft)
        for one, found in zip(*answers[team_id], strict=True):
            if at in one:
                if key in found:
                    found[key].absorb(figures)
                else:
                    found[key] = figures
                break
    return [found for _ranges, found in answers.values()]


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
    if not hourly:
        rest = [part for one in rest for part in _by_day(one, query)]
    return Pieces(tuple(days), tuple(hours), tuple(one for one in rest if one.start < one.end))


def _by_day(one: Range, query: UsageQuery) -> list[Range]:
    """A range of less than two days cut at midnight, so that each part lies in one bucket of days or longer."""
    midnight = next_bucket(bucket_start(one.start, Granularity.DAY, query.zone), Granularity.DAY, query.zone)
    if one.end <= midnight:
        return [one]
    return [Range(one.start, midnight), Range(midnight, one.end)]


def _boundary(query: UsageQuery, at: datetime, granularity: Granularity, *, up: bool) -> datetime:
    """The bucket boundary at `at` or next to it, after or before."""
    start = bucket_start(at, granularity, query.zone)
    return start if start == at or not up else next_bucket(start, granularity, query.zone)


def narrowest(rollups: Iterable[type[Counters]], needed: set[Dimension]) -> type[Counters] | None:
    """The first, smallest rollup that has all these dimensions."""
    columns = {COLUMN[dimension] for dimension in needed}
    return next((rollup for rollup in rollups if columns <= set(rollup.DIMENSIONS)), None)


def _rows(
    asked: Sequence[Asked], by: Sequence[Dimension], single: SingleCalls, sketches: bool
) -> Iterable[RawRow]:
    """The rows of all pieces; the instant tells which range a row belongs to."""
    first = asked[0][0]
    needed = {*by, *first.filtered} - {Dimension.TIME}
    hourly = _is_hourly(first, by)
    cuts = [(query, [cut(one, query, needed, hourly=hourly) for one in ranges]) for query, ranges in asked]
    days = [_Part.of_days(query, pieces) for query, pieces in cuts]
    if (rollup := narrowest(DAY_ROLLUPS, needed)) and any(part.within for part in days):
        yield from _from_rollup(by, rollup, "day", days, sketches)
    hours = [_Part.of_hours(query, pieces) for query, pieces in cuts]
    if (rollup := narrowest(HOUR_ROLLUPS, needed)) and any(part.within for part in hours):
        yield from _from_rollup(by, rollup, "hour", hours, sketches)
    rest = [(query, [one for piece in pieces for one in piece.rest]) for query, pieces in cuts]
    if rest := [(query, ranges) for query, ranges in rest if ranges]:
        queries = {query.team.pk: query for query, _ranges in rest}
        dimensions = [dimension for dimension in by if dimension is not Dimension.TIME]
        for team_id, at, values, counters, latency, ttft in single.rows(rest, dimensions):
            query = queries[team_id]
            bucket = bucket_start(at, query.granularity, query.zone)
            yield team_id, at, _key(by, bucket, values), counters, latency, ttft


@dataclass(frozen=True)
class _Part:
    """What is read of a rollup for one team: conditions on its column of time, and the instants they begin at."""

    query: UsageQuery
    within: list[Q]
    edges: list[datetime]

    @classmethod
    def of_days(cls, query: UsageQuery, pieces: Sequence[Pieces]) -> "_Part":
        days = [day for piece in pieces for day in piece.days]
        within = [Q(day__gte=first, day__lt=after) for first, after in days]
        return cls(query, within, [day_start(first, query.zone) for first, _after in days])

    @classmethod
    def of_hours(cls, query: UsageQuery, pieces: Sequence[Pieces]) -> "_Part":
        hours = [one for piece in pieces for one in piece.hours]
        within = [Q(hour__gte=one.start, hour__lt=one.end) for one in hours]
        return cls(query, within, [one.start for one in hours])


def _from_rollup(
    by: Sequence[Dimension], rollup: type[Counters], column: str, parts: Sequence[_Part], sketches: bool
) -> Iterable[RawRow]:
    """One statement over one rollup, grouped in the database; teams apart, so that each is an index range."""
    groups = [COLUMN[dimension] for dimension in by if dimension is not Dimension.TIME]
    known = {part.query.team.pk: part for part in parts if part.within}
    joined = _JOINED if sketches else _NO_SKETCHES
    found, *others = [_grouped(by, rollup, column, groups, part, joined) for part in known.values()]
    times: dict[Any, tuple[datetime, datetime]] = {}  # of many rows with the same slot each is worked out once
    for team_id, at, *values in found.union(*others, all=True) if others else found:
        if (team_id, at) not in times:
            query, edges = known[team_id].query, known[team_id].edges
            instant = edges[at] if isinstance(at, int) else day_start(at, query.zone) if column == "day" else at
            times[team_id, at] = instant, bucket_start(instant, query.granularity, query.zone)
        instant, bucket = times[team_id, at]
        key = _key(by, bucket, values[: len(groups)])
        yield team_id, instant, key, values[len(groups) : -2], bytes(values[-2]), bytes(values[-1])


_JOINED: dict[str, Any] = {"latency": Joined("latency_sketch"), "ttft": Joined("ttft_sketch")}
_NO_SKETCHES: dict[str, Any] = {name: Value(b"", output_field=BinaryField()) for name in _JOINED}


def _grouped(
    by: Sequence[Dimension],
    rollup: type[Counters],
    column: str,
    groups: Sequence[str],
    part: _Part,
    sketches: dict[str, Any],
) -> QuerySet[Any, Any]:
    """Team, slot, dimensions, sums of the counters, sketches joined."""
    query = part.query
    rows = rollup._default_manager.filter(reduce(or_, part.within), **space_of(query), **filters(query))
    sums = {f"sum_{name}": Total(name) for name in COUNTERS}
    if Dimension.TIME in by:
        slot: Any = F(column)
    else:  # which of the ranges is enough, and makes far fewer rows
        slot = Case(*(When(one, then=Value(index)) for index, one in enumerate(part.within)))
    names = ("team_id", "slot", *groups)
    found: QuerySet[Any, Any] = rows.order_by().annotate(slot=slot).values(*names).annotate(**sums, **sketches)
    return found.values_list(*names, *sums, *sketches)


def space_of(query: UsageQuery) -> dict[str, Any]:
    return {"team_id": query.team.pk, "mode": query.mode}


def filters(query: UsageQuery) -> dict[str, Any]:
    """The query's filters as Django's keyword arguments; calls and rollups name their columns alike."""
    asked = {"member_id__in": query.members, "model__in": query.models, "token_id__in": query.tokens}
    return {name: values for name, values in asked.items() if values}


def _key(by: Sequence[Dimension], bucket: datetime, values: Sequence[Any]) -> Key:
    rest = iter(values)
    return tuple(bucket if dimension is Dimension.TIME else next(rest) for dimension in by)
