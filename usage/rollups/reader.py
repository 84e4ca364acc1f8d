"""Reads the figures of any `UsageQuery` from the rollup tables, with a few SQL statements.

A range of time is cut into whole days, whole hours and the rest. Days are read from the day rollups, hours at
the edges from the hour rollups. Figures that no rollup has (of minutes, or of hours with a combination of
filters) are counted from single calls, by a function that the app `logs` registers here. Queries about several
teams, each with its own time zone, take as many statements as a query about one team.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import pairwise
from typing import Any

from usage.rollups.buckets import day_of, day_start
from usage.rollups.cache import process_cache
from usage.rollups.figures import Figures
from usage.rollups.models import Counters, DayDetail, DayMember, DayModel, DayToken, HourMember, HourModel
from usage.rollups.query import (
    OF_SINGLE_CALLS,
    Dimension,
    Granularity,
    Range,
    UsageQuery,
    bucket_start,
    next_bucket,
)
from usage.rollups.statements import (
    CALLS,
    FILTER_COLUMNS,
    FULL,
    KEYS,
    Depth,
    Slice,
    cache_key,
    filters_of,
    sums_of,
)

Key = tuple[Any, ...]
Cells = dict[Key, Figures]
# A query and the ranges of time to read for it, which must not overlap.
Asked = tuple[UsageQuery, Sequence[Range]]
# Team id, an instant in the bucket, values of the dimensions in the requested order, counters, two sketches.
RawRow = tuple[int, datetime, Key, Sequence[int], bytes, bytes]
# Counts single calls grouped by dimensions; the depth says which counters are needed.
RawSource = Callable[[Sequence[Asked], Sequence[Dimension], Depth], Iterable[RawRow]]

_raw_source: RawSource | None = None


def register_raw_source(source: RawSource) -> None:
    """Registers the function that counts single calls where no rollup has the figures.

    `logs` calls this once at startup, because `usage` must not import `logs`.
    """
    global _raw_source  # set once, when the apps are ready
    _raw_source = source


@dataclass(frozen=True)
class Pieces:
    """The parts of a time range by where they are read from: day rollups, hour rollups, or single calls
    (`rest`).
    """

    days: tuple[tuple[date, date], ...]  # [first, after last)
    hours: tuple[Range, ...]
    rest: tuple[Range, ...]


COLUMN = {**FILTER_COLUMNS, Dimension.TAG: "tag"}
HOUR_ROLLUPS: tuple[type[Counters], ...] = (HourModel, HourMember)
DAY_ROLLUPS: tuple[type[Counters], ...] = (DayModel, DayMember, DayToken, DayDetail)


@dataclass
class SingleCalls:
    """Figures counted from single calls by the dimensions `by`, cached for the queries of one page.

    If several queries need the same calls, these are read from the database once.
    """

    by: tuple[Dimension, ...]
    _read: dict[tuple[Asked, ...], tuple[Depth, Sequence[RawRow]]] = field(default_factory=dict)

    def rows(self, asked: Sequence[Asked], by: Sequence[Dimension], depth: Depth) -> Iterable[RawRow]:
        """Yields figures grouped by the dimensions `by`, which must be among the object's own dimensions.

        Reads the calls unless they were read before. The same key can occur several times.
        """
        known = self._known(asked, depth)
        places = [self.by.index(dimension) for dimension in by]
        for team_id, at, values, counters, latency, ttft in (
            self._found(asked, depth) if known is None else known
        ):
            yield team_id, at, tuple(values[place] for place in places), counters, latency, ttft

    def _known(self, asked: Sequence[Asked], depth: Depth) -> list[RawRow] | None:
        """Returns the rows of these calls if they were read before, else None.

        Also uses rows that were read without this query's filters, if the rows have the columns to apply the
        filters.
        """
        filters = {COLUMN[dimension]: place for place, dimension in enumerate(self.by)}
        wanted = {filters[name]: {*values} for name, values in filters_of(asked[0][0]) if name in filters}
        everything = {f"{self.by[place]}s": () for place in wanted}
        for more in ({}, everything):
            read, rows = self._read.get(_same_calls(asked, more), (KEYS, []))
            if read != KEYS and read | depth == read:
                return [row for row in rows if all(row[2][place] in some for place, some in wanted.items())]
        return None

    def _found(self, asked: Sequence[Asked], depth: Depth) -> Sequence[RawRow]:
        if _raw_source is None:
            raise RuntimeError("No source of single calls is registered; is the app `logs` installed?")
        key = self._cache_key(asked, depth)
        rows = None if key is None else process_cache.get(key)
        if rows is None:
            rows = list(_raw_source(asked, self.by, depth))
            if key is not None:
                process_cache.set(key, rows)
        self._read[_same_calls(asked, {})] = depth, rows
        return rows

    def _cache_key(self, asked: Sequence[Asked], depth: Depth) -> Hashable:
        """Returns the key for the process cache; None if part of the time is too recent to be cached."""
        for query, ranges in asked:
            if query.cache_version is None or any(one.end > query.cache_version.until for one in ranges):
                return None
        questions = [(cache_key(query), query.granularity, tuple(ranges)) for query, ranges in asked]
        return (*questions, self.by, depth)


def _same_calls(asked: Sequence[Asked], filters: dict[str, Any]) -> tuple[Asked, ...]:
    """Returns a key that is equal for queries about the same calls.

    `filters` replace filters of the queries.
    """
    return tuple(
        (replace(query, previous=None, quiet=None, cache_version=None, known=None, **filters), tuple(ranges))
        for query, ranges in asked
    )


def cells(
    query: UsageQuery,
    by: Sequence[Dimension],
    ranges: Sequence[Range],
    single: SingleCalls | None = None,
    depths: Sequence[Depth] = (FULL, FULL),
) -> list[Cells]:
    """Returns, for each range, the figures of each combination of values of `by` that has calls.

    Keys are tuples in the order of `by`: bucket start (UTC) for time, user id for member, token id for token,
    the name for model. There may be one or two `ranges`, which must not overlap. `single` is shared by all
    queries of a page. `depths` says for each range which counters are needed; others may be 0. With many
    combinations, asking for fewer counters takes a fraction of the time.
    """
    return cells_of_teams([(query, ranges)], by, single, depths)[0]


def cells_of_teams(
    asked: Sequence[Asked],
    by: Sequence[Dimension],
    single: SingleCalls | None = None,
    depths: Sequence[Depth] = (FULL, FULL),
) -> list[list[Cells]]:
    """Does the same as `cells` for the queries of several teams, with as many SQL statements as for one.

    The queries may differ only in their teams and ranges. Returns the result of `cells` for each query.
    """
    if not asked:
        return []
    if single is None:
        known = tuple(dimension for dimension in by if dimension is not Dimension.TIME)
        single = SingleCalls(known)
    first = asked[0][0]
    needed = {*by, *first.filtered} - {Dimension.TIME}
    answers: list[list[Cells]] = [[{} for _ in ranges] for _query, ranges in asked]
    reading = _Reading(by, needed, _is_hourly(first, by), depths, answers)
    rest: list[Asked] = []
    depth_of_rest = CALLS
    for (query, ranges), parts in zip(asked, answers, strict=True):
        if needed & OF_SINGLE_CALLS:
            query, cuts = reading.of_single_calls(query, ranges)
        else:
            cuts = [cut(one, query, needed, hourly=reading.hourly) for one in ranges]
        for pieces, found, depth in zip(cuts, parts, depths, strict=False):
            reading.plan(query, pieces, found, depth)
            depth_of_rest |= depth if pieces.rest else CALLS
        if left := [one for pieces in cuts for one in pieces.rest]:
            rest.append((query, left))
    reading.read_rollups()
    if rest:
        reading.read_calls(asked, single.rows(rest, reading.dimensions, depth_of_rest))
    return answers


@dataclass
class _Reading:
    """The slices of rollup tables to read for some queries, and the result that each slice is added to."""

    by: Sequence[Dimension]
    needed: set[Dimension]
    hourly: bool
    depths: Sequence[Depth]
    answers: list[list[Cells]]
    slices: list[Slice] = field(default_factory=list)
    targets: list[tuple[Cells, datetime]] = field(default_factory=list)  # the result, and the slice's start

    def plan(self, query: UsageQuery, pieces: Pieces, found: Cells, depth: Depth) -> None:
        """Adds the slices to read for one range, from the smallest rollups that have all needed dimensions."""
        by_time = Dimension.TIME in self.by
        if (rollup := narrowest(DAY_ROLLUPS, self.needed)) is not None:
            for first, after in pieces.days:
                self._add(Slice(query, rollup, first, after, by_time, depth), found)
        if (rollup := narrowest(HOUR_ROLLUPS, self.needed)) is not None:
            for one in pieces.hours:
                self._add(
                    Slice(query, rollup, one.start, one.end, self.hourly, depth),
                    found,
                )

    def of_single_calls(self, query: UsageQuery, ranges: Sequence[Range]) -> tuple[UsageQuery, list[Pieces]]:
        """Returns the query and its ranges for counting single calls only, without rollups.

        If the figures are grouped by day, week or month, the ranges are cut at the boundaries of these buckets.
        """
        if Dimension.TIME not in self.by:
            query = replace(query, granularity=Granularity.DAY)  # by the hour, each hour would have a row
        is_whole = self.hourly or Dimension.TIME not in self.by
        rest = [(one,) if is_whole else tuple(_by_bucket(one, query)) for one in ranges]
        return query, [Pieces((), (), parts) for parts in rest]

    def _add(self, piece: Slice, found: Cells) -> None:
        start = piece.start
        instant = start if isinstance(start, datetime) else day_start(start, piece.query.zone)
        self.slices.append(piece)
        self.targets.append((found, instant))

    def read_rollups(self) -> None:
        """Reads the slices and adds their rows to the results.

        The bucket of a day or hour is computed once for all of its rows.
        """
        columns = [COLUMN[dimension] for dimension in self.dimensions]
        width = len(columns)
        for number, rows in sums_of(self.slices, columns):
            found, edge = self.targets[number]
            piece = self.slices[number]
            goals: dict[Any, _Goal] = {}
            for row in rows:
                if (goal := goals.get(row[0])) is None:
                    goal = self._goal(found, _bucket_of(row[0], edge, piece.query), piece.depth)
                    goals[row[0]] = goal
                goal.add(row[1 : width + 1], row[width + 1 : -2], row[-2], row[-1])

    def _goal(self, found: Cells, bucket: datetime, depth: Depth) -> "_Goal":
        place = self.by.index(Dimension.TIME) if Dimension.TIME in self.by else None
        return _Goal(found, bucket, place, is_counted=depth != KEYS)

    @property
    def dimensions(self) -> list[Dimension]:
        """Returns the dimensions in `by` except time."""
        return [dimension for dimension in self.by if dimension is not Dimension.TIME]

    def read_calls(self, asked: Sequence[Asked], rows: Iterable[RawRow]) -> None:
        """Adds the rows that were counted from single calls to the results; a row's time determines its range."""
        known = {
            query.team.pk: (query, ranges, answers)
            for (query, ranges), answers in zip(asked, self.answers, strict=True)
        }
        goals: dict[tuple[int, datetime], _Goal] = {}
        for team_id, at, values, counters, latency, ttft in rows:
            if (goal := goals.get((team_id, at))) is None:
                query, ranges, answers = known[team_id]
                place = next(place for place, one in enumerate(ranges) if at in one)
                bucket = bucket_start(at, query.granularity, query.zone)
                goal = goals[team_id, at] = self._goal(answers[place], bucket, self.depths[place])
            goal.add(values, counters, latency, ttft)


# The figures of every combination of which only the existence was asked for.
_UNCOUNTED = Figures()


@dataclass(frozen=True, slots=True)
class _Goal:
    """The result that the rows of one bucket are added to."""

    found: Cells
    bucket: datetime
    place: int | None  # the position of time in the keys; None: keys have no time
    is_counted: bool  # False: only which keys exist was asked for, not their figures

    def add(self, values: Sequence[Any], counters: Sequence[int], latency: bytes, ttft: bytes) -> None:
        key, place = tuple(values), self.place
        if place is not None:
            key = (*key[:place], self.bucket, *key[place:])
        if not self.is_counted:
            self.found.setdefault(key, _UNCOUNTED)
            return
        figures = Figures.of_row(counters, bytes(latency), bytes(ttft))
        if (known := self.found.get(key, _UNCOUNTED)) is _UNCOUNTED:
            self.found[key] = figures
        else:
            known.absorb(figures)


def _bucket_of(slot: date | datetime | None, edge: datetime, query: UsageQuery) -> datetime:
    """Returns the start of the bucket that a rollup row belongs to.

    `slot` is the row's day or hour. It is None for a row that sums up a whole slice; then `edge`, the start of
    the slice, counts.
    """
    if isinstance(slot, datetime):  # hours are read one by one only if the buckets are hours
        return slot
    instant = edge if slot is None else day_start(slot, query.zone)
    if slot is not None and query.granularity is Granularity.DAY:
        return instant
    return bucket_start(instant, query.granularity, query.zone)


def _is_hourly(query: UsageQuery, by: Sequence[Dimension]) -> bool:
    return Dimension.TIME in by and query.granularity is Granularity.HOUR


def cut(asked: Range, query: UsageQuery, needed: set[Dimension], *, hourly: bool) -> Pieces:
    """Cuts a range into the parts that are read from day rollups, from hour rollups, and from single calls.

    `needed` are the dimensions that a rollup must have. With `hourly`, day rollups are not used, because the
    answer is by the hour.
    """
    if query.quiet and query.quiet.start == asked.end:
        asked = Range(asked.start, query.quiet.end)
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
        hours, rest = ([part for one in parts for part in _by_day(one, query)] for parts in (hours, rest))
    return Pieces(tuple(days), tuple(hours), tuple(one for one in rest if one.start < one.end))


def _by_bucket(one: Range, query: UsageQuery) -> list[Range]:
    """Cuts a range at the boundaries of the query's buckets."""
    edges = [max(start, one.start) for start in query.buckets(one)]
    return [Range(start, end) for start, end in pairwise([*edges, one.end])]


def _by_day(one: Range, query: UsageQuery) -> list[Range]:
    """Cuts a range of less than two days at midnight, so that each part lies in one day, week or month."""
    midnight = next_bucket(bucket_start(one.start, Granularity.DAY, query.zone), Granularity.DAY, query.zone)
    if one.end <= midnight:
        return [one]
    return [Range(one.start, midnight), Range(midnight, one.end)]


def _boundary(query: UsageQuery, at: datetime, granularity: Granularity, *, up: bool) -> datetime:
    """Returns `at` if a bucket begins there, else the nearest bucket boundary after it (`up`) or before it."""
    start = bucket_start(at, granularity, query.zone)
    return start if start == at or not up else next_bucket(start, granularity, query.zone)


def narrowest(rollups: Iterable[type[Counters]], needed: set[Dimension]) -> type[Counters] | None:
    """Returns the first of `rollups` that has all these dimensions; None if none has. They are sorted by size."""
    columns = {COLUMN[dimension] for dimension in needed}
    return next((rollup for rollup in rollups if columns <= set(rollup.DIMENSIONS)), None)


def filters(query: UsageQuery) -> dict[str, Any]:
    """Returns the query's filters as keyword arguments for a QuerySet's `filter()`."""
    return {f"{name}__in": values for name, values in filters_of(query)}
