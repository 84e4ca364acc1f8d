"""Reads calls from one or several places of an index in one SQL statement: the first calls, their number, or
sums.

A place is one combination of values of the index's first columns, such as one member's calls. The statements
are joined as text, because Django's `union` does not allow ordered or limited parts on SQLite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Expression, F, Field, IntegerField, Q, QuerySet, When

from config.cursors import repeated_cursor
from logs.models import Call, CallRoute, CallTag
from logs.recording.ids import id_parameters
from logs.search.query import Key
from usage.rollups.bulk import read_values
from usage.rollups.query import UsageQuery


@dataclass(frozen=True)
class IndexScans:
    """The calls at several places of an index, each of which is read separately.

    `at` names the columns that a place gives values for; each of `places` has these values (see `at_places`).
    """

    calls: QuerySet[Any, Any]
    at: Sequence[str] = ()
    places: Sequence[tuple[Any, ...]] = ((),)

    def first(self, columns: Sequence[str], descends: bool, limit: int) -> "IndexScans":
        """Returns the same scans, limited to the first calls at each place. The order makes PostgreSQL walk the
        index.
        """
        order = [F(name).desc() if descends else F(name).asc() for name in columns]
        return replace(self, calls=self.calls.order_by(*order)[:limit])


class _Place(Expression):
    """An SQL expression for the value that a place gives to one column: a column of the table of places, or a
    parameter that is filled in later.
    """

    def __init__(self, name: str, is_column: bool) -> None:
        super().__init__(output_field=_field(name))
        self.name, self.is_column = name, is_column

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return (f"place.{self.name}", ()) if self.is_column else ("%s", (self,))


def at_places(calls: QuerySet[Any, Any], at: Sequence[str], places: Sequence[tuple[Any, ...]]) -> IndexScans:
    """Returns scans of the calls whose columns `at` have the values of one of the places.

    The query is compiled once, however many places there are. SQLite gets the SELECT once for each place.
    PostgreSQL gets a table of the places, because planning two dozen SELECTs takes longer than running them.
    """
    is_column = _is_table(places)
    return IndexScans(calls.filter(**{name: _Place(name, is_column) for name in at}), at, places)


def _is_table(places: Sequence[tuple[Any, ...]]) -> bool:
    return connection.vendor == "postgresql" and len(places) > 1


def _field(name: str) -> "Field[Any, Any]":
    field = Call._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def keys_of(scans: IndexScans, columns: Sequence[str], *, descends: bool, limit: int) -> list[Key]:
    """Returns the first `limit` sort keys of all scans together; the last of `columns` must be the id.

    Each place is walked in the order of `columns` until there are enough.
    """
    limited = scans.first(columns, descends, limit)
    outer = f"SELECT * FROM u {_order(columns, descends)} LIMIT {limit}"
    return [_key(row) for row in _select(outer, [limited], columns)]


def keys_beside(above: IndexScans, below: IndexScans, columns: Sequence[str]) -> list[Key]:
    """Returns the sort keys next to a position: the lowest at each place of `above`, and the highest at each
    place of `below`. Runs one SQL statement.
    """
    limited = [above.first(columns, False, 1), below.first(columns, True, 1)]
    return [_key(row) for row in _select("SELECT * FROM u", limited, columns)]


def keys_of_all(
    scans: IndexScans, columns: Sequence[str], *, descends: bool, limit: int, index: str
) -> list[Key]:
    """Returns the first `limit` sort keys of all scans together, for scans with few calls: all are read by
    `index` and then sorted.
    """
    outer = f"SELECT * FROM u {_order(columns, descends)} LIMIT {limit}"
    return [_key(row) for row in _select(outer, [scans], columns, index)]


def keys_and_sums(
    scans: IndexScans,
    columns: Sequence[str],
    summed: Sequence[str],
    *,
    descends: bool,
    limit: int,
    index: str | None = None,
) -> tuple[list[Key], list[int]]:
    """Returns what `keys_of_all` and `sums_of` return, in one SQL statement that finds the calls only once."""
    width = len(columns)
    order = _order(columns, descends)
    outer = (
        f"SELECT * FROM (SELECT * FROM u {order} LIMIT {limit}) first "
        f"CROSS JOIN (SELECT {_sums(width, len(summed))} FROM u) whole {order}"
    )
    rows = _select(outer, [scans], [*columns, *summed], index)
    keys = [_key(row[:width]) for row in rows]
    whole = rows[0][width + len(summed) :] if rows else [0] * (1 + len(summed))
    return keys, [int(value) for value in whole]


@dataclass(frozen=True)
class Look:
    """What `look_through` found among the first calls of some scans."""

    keys: list[Key]  # the first sort keys that meet the conditions
    met: int  # number of calls that meet them
    looked: int  # number of calls that were read
    edge: Key | None  # the sort key of the last call that was read


def look_through(
    scans: IndexScans,
    columns: Sequence[str],
    conditions: Q,
    *,
    descends: bool,
    limit: int,
    most: int,
    index: str,
) -> Look:
    """Reads the first `most` calls of all scans together. Returns the first `limit` keys among them that meet
    some conditions, and how many meet them. Each call is read once. Each scan is in the order of `columns`,
    which must end with the id.
    """
    met = Case(When(conditions, then=1), default=0, output_field=IntegerField())
    limited = replace(scans, calls=scans.calls.annotate(has_met=met)).first(columns, descends, most)
    keys = ", ".join(f"c{n}" for n in range(len(columns)))
    order, back = _order(columns, descends), _order(columns, not descends)
    several = len(scans.places) > 1
    looked = "looked" if several else "u"
    flag = f"c{len(columns)}"
    outer = f""" SELECT whole.*, edge.*, found.* FROM (SELECT count(*), COALESCE(sum({flag}), 0) FROM {looked}) whole
        LEFT JOIN (SELECT {keys} FROM {looked} {back} LIMIT 1) edge ON true
        LEFT JOIN (SELECT {keys} FROM {looked} WHERE {flag} = 1 {order} LIMIT {limit}) found ON true"""
    if several:
        outer = f", looked AS (SELECT * FROM u {order} LIMIT {most}) {outer}"
    rows = _select(outer, [limited], [*columns, "has_met"], index)
    if not rows or not rows[0][0]:
        return Look([], 0, 0, None)
    looked, met_of_all, *rest = rows[0]
    width = len(columns)
    found = sorted((_key(row[2 + width :]) for row in rows if row[-1] is not None), reverse=descends)
    return Look(found, int(met_of_all), int(looked), _key(rest[:width]))


def newest(
    team_ids: Sequence[int], member_id: int, mode: int, columns: Sequence[str], *, limit: int
) -> list[dict[str, Any]]:
    """Returns a member's latest calls in some teams together, as dicts of these columns; "id" must be one of
    them.

    The SQL is written by hand: every personal page needs it, and building and compiling a query for each team
    takes longer than running it.
    """
    if not team_ids:
        return []
    each = f"SELECT * FROM (SELECT {', '.join(columns)} {_OF_MEMBER}) one"
    text = f"{' UNION ALL '.join([each] * len(team_ids))} ORDER BY id DESC LIMIT {limit}"
    with repeated_cursor() as cursor:
        cursor.execute(text, [value for team_id in team_ids for value in (team_id, member_id, mode, limit)])
        rows = read_values(Call, columns, cursor.fetchall())
    return [dict(zip(columns, row, strict=True)) for row in rows]


_OF_MEMBER = (
    f"FROM {Call._meta.db_table} WHERE team_id = %s AND member_id = %s AND mode = %s ORDER BY id DESC LIMIT %s"
)


def _sums(first: int, several: int) -> str:
    """Returns the SQL for the number of rows of `u` and the sums of `several` columns, from column number
    `first` on.
    """
    return ", ".join(["count(*)", *(f"COALESCE(sum(c{n}), 0)" for n in range(first, first + several))])


def _order(columns: Sequence[str], descends: bool) -> str:
    """Returns the ORDER BY of the outer SQL statement, which reads the rows of all scans.

    On SQLite, a plus sign before each column keeps SQLite from searching calls in this order in the hope of
    finishing early, and from merging two dozen sorted parts, which takes four times as long as sorting them.
    """
    way, plain = "DESC" if descends else "ASC", "+" if connection.vendor == "sqlite" else ""
    return "ORDER BY " + ", ".join(f"{plain}c{n} {way}" for n in range(len(columns)))


def count_up_to(scans: IndexScans, order: Sequence[str], most: int) -> int:
    """Returns the number of calls in the scans, counted only up to `most`; `order` names the index columns to
    walk by.
    """
    limited = scans.first(order, True, most)
    rows = _select(f"SELECT count(*) FROM (SELECT 1 FROM u LIMIT {most}) n", [limited], ["id"])
    return int(rows[0][0]) if rows else 0


def calls_of_routes(usage: UsageQuery, routes: int, most: int) -> list[tuple[str, str, str, bool, int]]:
    """Returns the first `routes` combinations of provider, endpoint, channel and stream that the team's calls
    have had, each with its number of calls in the query's mode and period.

    Calls are counted only up to `most`. Runs one SQL statement that looks up each combination in the index.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _OF_ROUTES, [*id_parameters(usage.range), usage.mode, usage.team.pk, most, usage.team.pk, routes]
        )
        return [(*way, bool(stream), int(calls)) for *way, stream, calls in cursor.fetchall()]


# ORDER BY in the inner SELECT makes PostgreSQL walk the index.
_OF_ROUTES = f"""
SELECT provider, endpoint, channel, stream, (SELECT count(*) FROM (
  SELECT 1 FROM {Call._meta.db_table} c
  WHERE c.provider = r.provider AND c.endpoint = r.endpoint AND c.channel = r.channel AND c.stream = r.stream
    AND c.id >= %s AND c.id < %s AND c.mode = %s AND c.team_id = %s
  ORDER BY c.id DESC LIMIT %s) n)
FROM {CallRoute._meta.db_table} r WHERE team_id = %s ORDER BY provider, endpoint, channel, stream LIMIT %s"""


def calls_of_tags(usage: UsageQuery, tags: int, most: int) -> list[tuple[str, int]]:
    """Returns the first `tags` tags of the team's calls in the query's mode, each with its number of calls in
    the period.

    Calls are counted only up to `most`. Runs one SQL statement that steps from tag to tag in the index, and so
    does not read all calls of a tag.
    """
    team = [usage.team.pk, usage.mode]
    with connection.cursor() as cursor:
        cursor.execute(_OF_TAGS, [*team, *team, *team, *id_parameters(usage.range), most, tags])
        return [(tag, int(calls)) for tag, calls in cursor.fetchall()]


_TAGS = f"{CallTag._meta.db_table} c WHERE c.team_id = %s AND c.mode = %s"
_OF_TAGS = f"""
WITH RECURSIVE known(tag) AS (
  SELECT (SELECT c.tag FROM {_TAGS} ORDER BY c.tag LIMIT 1)
  UNION ALL
  SELECT (SELECT c.tag FROM {_TAGS} AND c.tag > known.tag ORDER BY c.tag LIMIT 1) FROM known WHERE tag IS NOT NULL)
SELECT tag, (SELECT count(*) FROM (
  SELECT 1 FROM {_TAGS} AND c.tag = known.tag AND c.id >= %s AND c.id < %s ORDER BY c.id DESC LIMIT %s) n)
FROM known WHERE tag IS NOT NULL LIMIT %s"""


def tally(calls: QuerySet[Any, Any], column: str, most: int) -> dict[Any, int]:
    """Returns how often each value of a column occurs among the latest `most` calls."""
    outer = "SELECT c0, count(*) FROM u GROUP BY c0"
    return dict(_select(outer, [IndexScans(calls).first(["id"], True, most)], [column]))


def sums_of(scans: IndexScans, columns: Sequence[str], index: str) -> list[int]:
    """Returns the number of calls in the scans, followed by the sum of each of `columns`, all of which are
    integers. Calls are found by `index`.
    """
    rows = _select(f"SELECT {_sums(0, len(columns))} FROM u", [scans], columns, index)
    return [int(value) for value in rows[0]] if rows else [0] * (len(columns) + 1)


def _select(
    outer: str, several: Sequence[IndexScans], columns: Sequence[str], index: str | None = None
) -> list[tuple[Any, ...]]:
    """Runs the SQL `outer` over `u(c0, c1, …)`, which has the columns of all scans; returns [] if no scan can
    have calls.

    With an `index`, only that one is walked; "" stands for the one that the conditions suggest.
    """
    parts: list[str] = []
    parameters: list[Any] = []
    for scans in several:
        try:
            sql, values = scans.calls.values_list(*columns).query.sql_with_params()
        except EmptyResultSet:
            continue
        made, used = _parts(scans, _by_index(sql, index), values)
        parts += made
        parameters += used
    if not parts:
        return []
    names = ", ".join(f"c{n}" for n in range(len(columns)))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH u({names}) AS ({' UNION ALL '.join(parts)}) {outer}", parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _parts(scans: IndexScans, sql: str, values: Sequence[Any]) -> tuple[list[str], list[Any]]:
    """Returns the SELECTs for all places of the scans, and their parameters."""
    at, places = scans.at, scans.places
    if _is_table(places):
        types = ", ".join([f"%s::{_field(name).cast_db_type(connection)}[]" for name in at])
        table = f"unnest({types}) AS place({', '.join(at)})"
        columns = [list(column) for column in zip(*places, strict=True)]
        return [f"SELECT b.* FROM {table} CROSS JOIN LATERAL ({sql}) b"], [*columns, *values]
    put = [at.index(value.name) if isinstance(value, _Place) else None for value in values]
    used = [value if n is None else place[n] for place in places for n, value in zip(put, values, strict=True)]
    return [f"SELECT * FROM ({sql}) b"] * len(places), used


def _by_index(sql: str, index: str | None) -> str:
    """Makes SQLite use the named index, because it has no statistics to choose by. PostgreSQL has statistics,
    and accepts no hints.
    """
    if index is None:
        return sql
    if connection.vendor == "postgresql":
        # Keeps PostgreSQL from reading calls in the order of the outer statement, in the hope of being done
        # soon.
        return f"{sql} OFFSET 0"
    if not index:
        return sql
    name = _primary_index() if index == PRIMARY else index
    return sql.replace(' FROM "logs_call" ', f' FROM "logs_call" INDEXED BY "{name}" ', 1)


# Stands for the primary key's index; SQLite chooses the name of that.
PRIMARY = "primary"


@cache
def _primary_index() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_index_list(%s) WHERE origin = 'pk'", [Call._meta.db_table])
        return str(cursor.fetchone()[0])


def _key(row: Sequence[Any]) -> Key:
    return (*row[:-1], _uuid(row[-1]))


def _uuid(value: Any) -> UUID:
    """Returns an id as a UUID; SQLite returns ids as text."""
    return value if isinstance(value, UUID) else UUID(hex=value)
