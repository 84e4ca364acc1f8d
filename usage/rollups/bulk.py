"""Inserts, upserts, updates and reads many rows with one SQL statement.

Contains SQL that the ORM cannot express, for SQLite and PostgreSQL. Only used for tables of records such as
calls, rollups and quota use, which have no foreign keys. Rows are tuples of values in the order of `columns`,
and no two rows may have the same key.
"""

from __future__ import annotations  # Django's Field takes its parameters only in the stubs

import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import JSONField, Model

from config.cursors import reading_cursor, repeated_cursor

M = TypeVar("M", bound=Model)
Row = Sequence[Any]
Statement = tuple[str, Sequence[Any]]  # SQL and its parameters

# SQLite takes 32,766 parameters in a statement as it is built by default.
_MOST_PARAMETERS = 30_000


def run_together(statements: Sequence[Statement]) -> list[list[Row]]:
    """Executes SQL statements one after the other and returns a list of rows for each of them.

    On PostgreSQL all of them are sent in one round trip. Use it while holding a lock that many requests wait
    for, because round trips take most of the time there. Each statement sees what was committed before that
    statement began, as if it had been sent alone.
    """
    if len(statements) < 2 or connection.vendor != "postgresql":
        return [_rows_of(*statement) for statement in statements]
    with connection.cursor() as cursor:
        texts, parameters = zip(*statements, strict=True)
        cursor.execute("; ".join(texts), list(chain.from_iterable(parameters)))
        found = []
        for _text in texts:
            found.append(cursor.fetchall() if cursor.description else [])
            cursor.nextset()
        return found


def _rows_of(text: str, parameters: Sequence[Any]) -> list[Row]:
    with repeated_cursor() as cursor:
        cursor.execute(text, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def insert_new(model: type[Model], columns: Sequence[str], rows: Sequence[Row], *, returning: str) -> set[Any]:
    """Inserts rows, ignoring those that already exist, and returns a set of the inserted rows' values of one
    column.

    That column is `returning`.
    """
    quoted = connection.ops.quote_name(returning)
    found: set[Any] = set()
    for text, parameters in insertion(model, columns, rows):
        rows_new = _rows_of(f"{text} ON CONFLICT DO NOTHING RETURNING {quoted}", parameters)
        found.update(row[0] for row in rows_new)
    return found


def insertion(model: type[Model], columns: Sequence[str], rows: Sequence[Row]) -> Iterator[Statement]:
    """Yields the SQL statements that insert `rows`, each with its parameters, without executing them.

    More than one statement is only needed on SQLite, which limits the number of parameters.
    """
    for source, parameters in _sources(model, columns, rows):
        yield f"INSERT INTO {_table(model)} ({_names(columns)}) {source}", parameters


def add_up(
    model: type[Model],
    *,
    keys: Sequence[str],
    added: Sequence[str],
    replaced: Sequence[str],
    rows: Sequence[Row],
) -> None:
    """Upserts rows with the columns `keys + added + replaced`.

    If a row with the key exists, the columns in `added` are increased by the new values, and the columns in
    `replaced` are overwritten. Sort the rows by key: on PostgreSQL, two transactions that write the same rows
    in different orders can deadlock.
    """
    for text, parameters in addition(model, keys=keys, added=added, replaced=replaced, rows=rows):
        _rows_of(text, parameters)


def addition(
    model: type[Model],
    *,
    keys: Sequence[str],
    added: Sequence[str],
    replaced: Sequence[str],
    rows: Sequence[Row],
) -> Iterator[Statement]:
    """Yields the SQL statements of `add_up`, each with its parameters, without executing them."""
    table, quote = _table(model), connection.ops.quote_name
    sets = [f"{quote(name)} = {table}.{quote(name)} + excluded.{quote(name)}" for name in added]
    sets += [f"{quote(name)} = excluded.{quote(name)}" for name in replaced]
    for text, parameters in insertion(model, [*keys, *added, *replaced], rows):
        yield f"{text} ON CONFLICT ({_names(keys)}) DO UPDATE SET {', '.join(sets)}", parameters


def update_rows(
    model: type[Model], *, fixed: dict[str, Any], key: str, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Overwrites `columns` of existing rows, found by their value of `key`.

    `rows` have the values of `key` and `columns`. `fixed` maps further columns to the values that a row must
    have to be updated.
    """
    quote = connection.ops.quote_name
    table = _table(model)
    sets = ", ".join(f"{quote(name)} = n.{quote(name)}" for name in columns)
    on = [f"{table}.{quote(name)} = {_bind(model, name)}" for name in fixed]
    fixed_values = [_prepare(model, name, value) for name, value in fixed.items()]
    for source, parameters in _sources(model, [key, *columns], rows):
        _rows_of(
            f"WITH n({_names([key, *columns])}) AS ({source}) UPDATE {table} SET {sets} FROM n "
            f"WHERE {table}.{quote(key)} = n.{quote(key)} AND {' AND '.join(on)}",
            [*parameters, *fixed_values],
        )


def fetch_by_keys(
    model: type[Model],
    *,
    fixed: dict[str, Any],
    keys: Sequence[str],
    wanted: Sequence[Row],
    columns: Sequence[str],
) -> list[tuple[Any, ...]]:
    """Reads the existing rows whose key is one of `wanted`, as tuples of `keys + columns`.

    `fixed` maps further columns to the values that a row must have. The statement joins the table with a list
    of the keys, because neither SQLite nor PostgreSQL reliably uses a multi-column index for `(a, b) IN (VALUES
    …)`.
    """
    quote = connection.ops.quote_name
    on = [f"t.{quote(name)} = k.{quote(name)}" for name in keys]
    on += [f"t.{quote(name)} = {_bind(model, name)}" for name in fixed]
    fixed_values = [_prepare(model, name, value) for name, value in fixed.items()]
    selected = ", ".join(f"t.{quote(name)}" for name in [*keys, *columns])
    found: list[tuple[Any, ...]] = []
    for source, parameters in _sources(model, keys, wanted):
        with reading_cursor() as cursor:
            cursor.execute(
                f"WITH k({_names(keys)}) AS ({source}) "
                f"SELECT {selected} FROM k CROSS JOIN {_table(model)} t WHERE {' AND '.join(on)}",
                [*parameters, *fixed_values],
            )
            found += read_values(model, [*keys, *columns], cursor.fetchall())
    return found


def _sources(
    model: type[Model], columns: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[str, list[Any]]]:
    """Yields SQL that represents `rows` as a table expression, with its parameters.

    PostgreSQL gets one array for each column, which is three times as fast as VALUES. SQLite gets VALUES, in
    several chunks if there are too many parameters for one statement.
    """
    if not rows:
        return
    fields = [_field(model, name) for name in columns]
    if connection.vendor == "postgresql":
        by_column = zip(*rows, strict=True)
        parameters = [_array(field, values) for field, values in zip(fields, by_column, strict=True)]
        yield _unnest(model, tuple(columns)), parameters
        return
    places = f"({', '.join(['%s'] * len(columns))})"
    size = _MOST_PARAMETERS // len(columns)
    by_column = zip(fields, zip(*rows, strict=True), strict=True)
    converted = list(zip(*(_column(field, values) for field, values in by_column), strict=True))
    for start in range(0, len(rows), size):
        chunk = converted[start : start + size]
        yield f"VALUES {', '.join([places] * len(chunk))}", list(chain.from_iterable(chunk))


@functools.cache
def _unnest(model: type[Model], columns: tuple[str, ...]) -> str:
    """Returns the SELECT that turns one array parameter per column into rows, for PostgreSQL.

    It is cached, because looking up the column types takes longer than writing the rows of one reservation.
    """
    arrays = ", ".join(f"%s::{_sql_type(_field(model, name))}[]" for name in columns)
    return f"SELECT * FROM UNNEST({arrays})"


def _array(field: models.Field[Any, Any], values: Sequence[Any]) -> Any:
    """Converts the values of one column to a PostgreSQL array parameter.

    Values that need no quoting become the text of an array literal, which is ten times as fast as a list.
    """
    if isinstance(field, JSONField):
        return _as_json(values)
    if isinstance(field, _UNQUOTED):
        return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"
    if isinstance(field, models.DateTimeField | models.DateField):
        return f"{{{','.join('NULL' if value is None else f'{value.isoformat()}' for value in values)}}}"
    return list(values)


_UNQUOTED = (models.IntegerField, models.BooleanField, models.UUIDField)
_AS_THEY_ARE = (models.IntegerField, models.CharField, models.BinaryField, models.BooleanField)


def _column(field: models.Field[Any, Any], values: Sequence[Any]) -> Iterable[Any]:
    """Converts the values of one column to what SQLite stores.

    Integers, text, bytes and booleans need no conversion.
    """
    if isinstance(field, _AS_THEY_ARE):
        return values
    if isinstance(field, models.DateTimeField | models.DateField):  # few distinct values in a batch
        known = {value: _value(field, value) for value in set(values)}
        return [known[value] for value in values]
    if isinstance(field, JSONField):
        return _as_json(values)
    if isinstance(field, models.UUIDField):
        return [None if value is None else value.hex for value in values]
    return [_value(field, value) for value in values]


def _as_json(values: Sequence[Any]) -> list[str | None]:
    """Serializes values to JSON, and None to NULL.

    Most values are empty, so these are not passed to `json.dumps`, which is slower.
    """
    return [
        _EMPTY[type(value)] if not value and type(value) in _EMPTY else json.dumps(value) for value in values
    ]


_EMPTY: dict[type, str | None] = {type(None): None, list: "[]", dict: "{}"}


def _value(field: models.Field[Any, Any], value: Any) -> Any:
    return field.get_db_prep_value(value, connection, prepared=False)


def read_values(
    model: type[Model], columns: Sequence[str], rows: list[tuple[Any, ...]], before: int = 0
) -> list[tuple[Any, ...]]:
    """Converts rows from the database to Python values, because SQLite returns dates and other types as text.

    Each row starts with `before` values that belong to no column and stay as they are. The values of `columns`
    of `model` follow.
    """
    converters: list[list[Any]] = [[] for _value in range(before)]
    converters += [[*connection.ops.get_db_converters(_field(model, name).get_col("t"))] for name in columns]
    if not any(converters):
        return rows
    return [
        tuple(_convert(value, chain_) for value, chain_ in zip(row, converters, strict=True)) for row in rows
    ]


def instances_of(model: type[M], columns: Sequence[str], rows: Iterable[Row]) -> list[M]:
    """Creates model instances from rows that have only some columns, as the ORM's `only()` does.

    The other columns are deferred: Django reads them from the database when they are accessed.
    """
    places = {name: place for place, name in enumerate(columns)}
    names = [field.attname for field in model._meta.concrete_fields if field.attname in places]
    assert len(names) == len(columns), columns
    order = [places[name] for name in names]  # `from_db` needs the order of the model's fields
    return [model.from_db(connection.alias, names, [row[place] for place in order]) for row in rows]


def _convert(value: Any, converters: list[Any]) -> Any:
    for converter in converters:
        value = converter(value, None, connection)
    return value


def _field(model: type[Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


def _sql_type(field: models.Field[Any, Any]) -> str:
    sql_type = field.db_type(connection)
    assert sql_type is not None
    return sql_type


def _prepare(model: type[Model], name: str, value: Any) -> Any:
    return _value(_field(model, name), value)


def _bind(model: type[Model], name: str) -> str:
    return f"%s::{_sql_type(_field(model, name))}" if connection.vendor == "postgresql" else "%s"


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, columns))
