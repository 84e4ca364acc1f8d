"""The statements that add up rollups: many index ranges in one, and put together by hand.

Every page asks some. Built and compiled by the ORM, they took longer than the database took to answer them, and
a condition over two ranges is no index range any more.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from usage.models import Counters
from usage.query import UsageQuery
from usage.rollups import COUNTERS

# SQLite takes 500 SELECTs in a statement, and 32,766 parameters.
_MOST_SLICES = 100
_MOST_PARAMETERS = 30_000


@dataclass(frozen=True)
class Detail:
    """What is read: which counters, and whether the sketches, without which there are no percentiles.

    Counters that are not named are answered as 0, sketches as b"".
    """

    counters: frozenset[str]
    sketches: bool


FULL = Detail(frozenset(COUNTERS), sketches=True)
COUNTED = Detail(frozenset(COUNTERS), sketches=False)
CALLS = Detail(frozenset({"calls"}), sketches=False)


@dataclass(frozen=True)
class Slice:
    """Days or hours [start, end) of a rollup for a question; with `by_slot` a row for each day or hour of them."""

    query: UsageQuery
    rollup: type[Counters]
    start: date | datetime
    end: date | datetime
    by_slot: bool
    detail: Detail


# The slice's position, its day or hour (None unless by slot), dimensions, all COUNTERS, two sketches.
SumRow = tuple[Any, ...]


def sums_of(slices: Sequence[Slice], columns: Sequence[str]) -> Iterator[SumRow]:
    """The sums of each slice by these columns.

    Slices of days and of hours can only stand together when those of hours are not by slot.
    """
    for first, chunk in _chunks(slices):
        texts, parameters = [], []
        for number, piece in enumerate(chunk, start=first):
            filters = _filters(piece.query)
            text = _select(
                connection.vendor,
                piece.rollup,
                piece.by_slot,
                tuple(columns),
                piece.detail,
                tuple((name, len(values)) for name, values in filters),
            )
            texts.append(text)
            parameters += [number, piece.query.team.pk, piece.query.mode, *_edges(piece)]
            parameters += [value for _name, values in filters for value in values]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(texts), parameters)
            rows = cursor.fetchall()
        yield from rows if connection.vendor == "postgresql" else _read_slots(rows, slices)


def _chunks(slices: Sequence[Slice]) -> Iterator[tuple[int, Sequence[Slice]]]:
    """The slices with the position of the first, as many at a time as a statement can hold."""
    most = max((sum(len(values) for _name, values in _filters(one.query)) for one in slices), default=0) + 5
    size = max(1, min(_MOST_SLICES, _MOST_PARAMETERS // most))
    for first in range(0, len(slices), size):
        yield first, slices[first : first + size]


def _filters(query: UsageQuery) -> list[tuple[str, Sequence[Any]]]:
    """The columns that are filtered by, and the values."""
    asked = [("member_id", query.members), ("model", query.models), ("token_id", query.tokens)]
    return [(name, values) for name, values in asked if values]


def _edges(piece: Slice) -> list[Any]:
    """Start and end as parameters: SQLite compares days and times as text."""
    field: Any = piece.rollup._meta.get_field(piece.rollup.DIMENSIONS[0])
    return [field.get_db_prep_value(edge, connection, prepared=False) for edge in (piece.start, piece.end)]


@functools.cache
def _select(
    vendor: str,
    rollup: type[Counters],
    by_slot: bool,
    columns: tuple[str, ...],
    detail: Detail,
    filters: tuple[tuple[str, int], ...],
) -> str:
    """One SELECT. Its parameters: number, team, mode, start, end, the values of the filters."""
    time = rollup.DIMENSIONS[0]
    slot, no_slot, whole, joined, empty = _DIALECTS[vendor]
    sums = [f"SUM({name}){whole}" if name in detail.counters else "0" for name in COUNTERS]
    both = ("latency_sketch", "ttft_sketch")
    merged = [joined % name if detail.sketches else empty for name in both]
    selected = ", ".join(["%s", slot % time if by_slot else no_slot, *columns, *sums, *merged])
    within = ["team_id = %s", "mode = %s", f"{time} >= %s", f"{time} < %s"]
    within += [f"{name} IN ({', '.join(['%s'] * count)})" for name, count in filters]
    # By the team, so that there is no row where there is nothing.
    groups = ", ".join(["team_id", *([time] if by_slot else []), *columns])
    return f"SELECT {selected} FROM {rollup._meta.db_table} WHERE {' AND '.join(within)} GROUP BY {groups}"  # noqa: S608


# A slot, none, a sum as a whole number, sketches one after the other (which is one of all of them), no sketch.
_DIALECTS = {
    "postgresql": ("%s", "NULL::date", "::bigint", "string_agg(%s, ''::bytea)", "''::bytea"),
    # The plus hides the column's type from Python's module, which would read each value anew, and not always.
    "sqlite": ("+%s", "NULL", "", "CAST(group_concat(%s, '') AS BLOB)", "x''"),
}


def _read_slots(rows: Sequence[SumRow], slices: Sequence[Slice]) -> Iterator[SumRow]:
    """SQLite's rows with days and hours as such."""
    known: dict[str, date | datetime] = {}
    for number, slot, *rest in rows:
        if slot is not None and slot not in known:
            known[slot] = _read_slot(slot, slices[number].rollup)
        yield (number, None if slot is None else known[slot], *rest)


def _read_slot(text: str, rollup: type[Counters]) -> date | datetime:
    if rollup.DIMENSIONS[0] == "day":
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
