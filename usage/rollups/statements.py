"""Builds and runs the SQL statements that sum up rollup rows, many SELECTs in one statement.

The SQL is built by hand, because every page needs such sums, and the ORM took longer to build and compile the
statements than the database took to answer them. Each range of time is a SELECT of its own (UNION ALL), because
one condition over two ranges would not be an index range.
"""

import functools
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any, Final

from django.db import connection

from config.cursors import reading_cursor
from usage.rollups.buckets import day_of, day_start, days_between
from usage.rollups.cache import process_cache
from usage.rollups.folding import COUNTERS, SKETCHES
from usage.rollups.models import Counters
from usage.rollups.query import Dimension, Granularity, Range, UsageQuery

# SQLite takes 500 SELECTs in a statement, and 32,766 parameters.
_MOST_SELECTS = 100
_MOST_PARAMETERS = 30_000
# Up to so many rows are looked up one by one; for more, a range of the index is read.
_MOST_SOUGHT = 1_000


@dataclass(frozen=True)
class Depth:
    """Which counters and sketches are read. Percentiles need the sketches.

    Counters that are not named are returned as 0, sketches as b"".
    """

    counters: frozenset[str] = frozenset()
    sketches: frozenset[str] = frozenset()

    def __or__(self, other: "Depth") -> "Depth":
        return Depth(self.counters | other.counters, self.sketches | other.sketches)


FULL = Depth(frozenset(COUNTERS), frozenset(SKETCHES))
WITHOUT_TTFT = Depth(frozenset(COUNTERS), frozenset({"latency_sketch"}))
COUNTED = Depth(frozenset(COUNTERS))
CALLS = Depth(frozenset({"calls"}))
# No counters: only which combinations of dimensions have calls.
KEYS = Depth()


@dataclass(frozen=True)
class Slice:
    """The part [start, end) of a query that is read from one rollup table, in days or hours.

    With `by_slot`, there is a row for each day or hour, otherwise one row for the whole slice.
    """

    query: UsageQuery
    rollup: type[Counters]
    start: date | datetime
    end: date | datetime
    by_slot: bool
    depth: Depth


Filters = Sequence[tuple[str, Sequence[Any]]]
Select = tuple[str, Sequence[Any]]  # SQL and parameters; the first parameter is the position of the SELECT
# A day or hour (None unless `by_slot`), the values of the columns, all COUNTERS, two sketches.
SumRow = tuple[Any, ...]


def sums_of(slices: Sequence[Slice], columns: Sequence[str]) -> list[tuple[int, Sequence[SumRow]]]:
    """Returns the sums of the slices, grouped by these columns, as pairs (position of the slice, rows).

    Several pairs can have the same position. Sums of past times come from the process cache if they are there.

    Slices of days and slices of hours can be mixed only if those of hours are not by slot.
    """
    found: list[tuple[int, Sequence[SumRow]]] = []
    asked: list[_Part] = []
    for number, piece in enumerate(slices):
        for part in _parts(number, piece, tuple(columns)):
            kept = None if part.key is None else process_cache.get(part.key)
            if kept is None:
                asked.append(part)
            else:
                found.append((number, kept))
    return [*found, *_read(asked, tuple(columns))]


@dataclass(frozen=True)
class _Part:
    """A slice, or its older part that can be cached, or its recent part that cannot.

    `number` is the position of the slice. `key` is the cache key; None for what is not cached.
    """

    number: int
    piece: Slice
    key: Hashable = None


def _parts(number: int, piece: Slice, columns: tuple[str, ...]) -> Iterator[_Part]:
    query = piece.query
    if query.cache_version is None:
        yield _Part(number, piece)
        return
    day = day_of(query.cache_version.until, query.zone)
    edge: Any = day_start(day, query.zone) if isinstance(piece.start, datetime) else day
    edge = min(max(edge, piece.start), piece.end)
    if piece.start < edge:
        settled = replace(piece, end=edge)
        key = (cache_key(query), settled.rollup, settled.start, edge, settled.by_slot, settled.depth, columns)
        yield _Part(number, settled, key)
    if edge < piece.end:
        yield _Part(number, replace(piece, start=edge))


def cache_key(query: UsageQuery) -> Hashable:
    """Returns the part of a cache key that identifies the team, the version of its cached sums, and the
    filters.
    """
    assert query.cache_version is not None
    team = query.team
    filters = tuple(query.values_of(dimension) for dimension in Dimension if dimension is not Dimension.TIME)
    return team.pk, team.created_at, team.time_zone, query.mode, query.cache_version.version, filters


def _read(parts: Sequence[_Part], columns: tuple[str, ...]) -> list[tuple[int, Sequence[SumRow]]]:
    """Reads the rows of parts from the database, and caches those that have a cache key."""
    by_part: list[list[SumRow]] = [[] for _part in parts]
    for row in run_union([_select(n, part.piece, columns) for n, part in enumerate(parts)]):
        by_part[row[0]].append(row[1:])
    for place, part in enumerate(parts):
        if part.piece.by_slot and connection.vendor != "postgresql":
            by_part[place] = _with_slots(by_part[place], part.piece.rollup)
        if part.key is not None:
            process_cache.set(part.key, by_part[place])
    return [(part.number, rows) for part, rows in zip(parts, by_part, strict=True)]


def run_union(selects: Sequence[Select]) -> list[tuple[Any, ...]]:
    """Runs SELECTs joined by UNION ALL and returns all rows. Runs several statements if the database's limits
    demand it.
    """
    found: list[tuple[Any, ...]] = []
    most = max((len(parameters) for _text, parameters in selects), default=1)
    size = max(1, min(_MOST_SELECTS, _MOST_PARAMETERS // most))
    for first in range(0, len(selects), size):
        texts, parameters = zip(*selects[first : first + size], strict=True)
        with reading_cursor() as cursor:
            cursor.execute(" UNION ALL ".join(texts), list(chain.from_iterable(parameters)))
            found += cursor.fetchall()
    return found


def filters_of(query: UsageQuery) -> Filters:
    """Returns the columns that the query filters by, with their values. Calls and rollups name these columns
    alike.

    Tags are not among them, because they are no column: `logs.search.single_calls` filters single calls by tag.
    """
    asked = [(name, query.values_of(dimension)) for dimension, name in FILTER_COLUMNS.items()]
    return [(name, values) for name, values in asked if values]


FILTER_COLUMNS: Final = {
    Dimension.MEMBER: "member_id",
    Dimension.MODEL: "model",
    Dimension.TOKEN: "token_id",
    Dimension.CHANNEL: "channel",
    Dimension.PROVIDER: "provider",
    Dimension.OUTCOME: "outcome",
}


def within_filters(filters: Filters) -> tuple[str, list[Any]]:
    """Returns the SQL conditions of filters, each after an AND, and their parameters."""
    each = [among(name, values) for name, values in filters]
    return "".join(f" AND {text}" for text, _values in each), [value for _text, some in each for value in some]


def among(name: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Returns the SQL condition that a column has one of these values, and its parameters.

    PostgreSQL gets the values as one array, so that the SQL is the same for any number of values: psycopg needs
    a millisecond to convert the placeholders of 200 parameters.
    """
    if connection.vendor == "postgresql":
        return f"{name} = ANY(%s)", [list(values)]
    return f"{name} IN ({', '.join(['%s'] * len(values))})", list(values)


def _select(number: int, piece: Slice, columns: tuple[str, ...]) -> Select:
    filters = filters_of(piece.query)
    time, slots = _when(piece, dict(filters))
    within, values = within_filters(filters)
    text = _text(connection.vendor, piece.rollup, piece.by_slot, columns, piece.depth, time + within)
    return text, [number, piece.query.team.pk, piece.query.mode, *slots, *values]


def _when(piece: Slice, filters: dict[str, Sequence[Any]]) -> tuple[str, list[Any]]:
    """Returns the SQL condition on the slice's time, and its parameters.

    In the primary key, the member, model or token follows the time. If the query filters by it, the condition
    names each day or hour, so that the index leads directly to the rows. With a range of time, the database
    would read the rows of all members in it.
    """
    name, following, *_others = piece.rollup.DIMENSIONS
    field: Any = piece.rollup._meta.get_field(name)

    def prepared(slots: Iterable[date | datetime]) -> list[Any]:
        """Converts days or times to SQL parameters; SQLite stores and compares them as text."""
        return [field.get_db_prep_value(slot, connection, prepared=False) for slot in slots]

    if following in filters:
        each = _slots(piece)
        if len(each) * len(filters[following]) <= _MOST_SOUGHT:
            return among(name, prepared(each))
    return f"{name} >= %s AND {name} < %s", prepared([piece.start, piece.end])


def _slots(piece: Slice) -> list[date | datetime]:
    """Lists each day or hour of a slice."""
    if isinstance(piece.start, datetime) and isinstance(piece.end, datetime):
        hourly = replace(piece.query, granularity=Granularity.HOUR)
        return [*hourly.buckets(Range(piece.start, piece.end))]
    return [*days_between(piece.start, piece.end)]


@functools.lru_cache(maxsize=256)  # filters can have any number of values
def _text(
    vendor: str,
    rollup: type[Counters],
    by_slot: bool,
    columns: tuple[str, ...],
    depth: Depth,
    conditions: str,
) -> str:
    time = rollup.DIMENSIONS[0]
    slot, no_slot, whole, joined, empty = _DIALECTS[vendor]
    sums = [f"SUM({name}){whole}" if name in depth.counters else "0" for name in COUNTERS]
    merged = [joined % name if name in depth.sketches else empty for name in SKETCHES]
    selected = ", ".join(["%s", slot % time if by_slot else no_slot, *columns, *sums, *merged])
    # Grouping by the team too makes the SELECT return no row (instead of NULLs) if there are no calls.
    groups = ", ".join(["team_id", *([time] if by_slot else []), *columns])
    source = f"{rollup._meta.db_table} WHERE team_id = %s AND mode = %s AND {conditions}"
    if depth == KEYS:  # needs only the index, and no sorting
        return f"SELECT {selected} FROM (SELECT DISTINCT {groups} FROM {source}) known"  # noqa: S608  # our own names
    return f"SELECT {selected} FROM {source} GROUP BY {groups}"  # noqa: S608  # our own names


# The SQL of: a slot, no slot, a sum as an integer, sketches concatenated (which merges them), no sketch.
_DIALECTS = {
    "postgresql": ("%s", "NULL::date", "::bigint", "string_agg(%s, ''::bytea)", "''::bytea"),
    # The plus hides the column's type from Python's sqlite3, which would otherwise convert the values of some rows.
    "sqlite": ("+%s", "NULL", "", "CAST(group_concat(%s, '') AS BLOB)", "x''"),
}


def _with_slots(rows: Iterable[SumRow], rollup: type[Counters]) -> list[SumRow]:
    """Converts the first column of SQLite's rows from text to a date or a time."""
    known: dict[str, date | datetime] = {}
    read = []
    for slot, *rest in rows:
        if slot not in known:
            known[slot] = _read_slot(slot, rollup)
        read.append((known[slot], *rest))
    return read


def _read_slot(text: str, rollup: type[Counters]) -> date | datetime:
    if rollup.DIMENSIONS[0] == "day":
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
