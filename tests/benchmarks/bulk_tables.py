"""Rows straight into tables, past the ORM: only for filling a database to measure on."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection

LOADED = ("logs.call", "logs.calltag", "logs.callroute")


def write_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Inserts rows of plain values; a day that two batches share is added up like everything else."""
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        with connection.cursor() as cursor:
            target = table
            if _adds(table):
                target = "loading"
                cursor.execute(f"CREATE TEMP TABLE loading (LIKE {table})")
            with cursor.copy(f"COPY {target} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            if _adds(table):
                cursor.execute(
                    f"INSERT INTO {table} ({names}) SELECT {names} FROM loading {_upsert(table, columns)}"
                )
                cursor.execute("DROP TABLE loading")
        return
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        sql = (
            f"INSERT INTO {table} ({names}) VALUES ({places}) {_upsert(table, columns) if _adds(table) else ''}"
        )
        cursor.executemany(sql, [tuple(map(_plain, row)) for row in rows])


def _adds(table: str) -> bool:
    return table.startswith("usage_day")


def _upsert(table: str, columns: Sequence[str]) -> str:
    model: Any = next(model for model in apps.get_models() if model._meta.db_table == table)
    keys = ["team_id", "mode", *model.DIMENSIONS]
    joined = {"latency_sketch", "ttft_sketch"}
    sets = ", ".join(
        f"{name} = {_joined(table, name) if name in joined else f'{table}.{name} + excluded.{name}'}"
        for name in columns
        if name not in keys
    )
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"


def _joined(table: str, name: str) -> str:
    # Two sketches one after the other are a sketch of both.
    text = f"{table}.{name} || excluded.{name}"
    return f"CAST({text} AS BLOB)" if connection.vendor == "sqlite" else text


def _plain(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value


@contextmanager
def dropped_indexes() -> Iterator[None]:
    """Fills in one transaction with the calls' indexes away: twice as fast, and they come out compact."""
    from django.db import transaction

    call = apps.get_model("logs.call")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
    with connection.schema_editor() as editor:
        for index in call._meta.indexes:
            editor.remove_index(call, index)
    with transaction.atomic():
        yield
    for index in call._meta.indexes:
        with connection.schema_editor() as editor:
            editor.add_index(call, index)


def analyze() -> None:
    """What autovacuum would do in time. SQLite keeps no statistics unless asked, so it gets none here."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
