"""Rows that take long to make: made once in each process, and inserted again for each test that needs them."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.sql import InsertQuery

T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot(Generic[T]):
    """What an empty database held after some code had run, and what that code returned."""

    inserts: list[tuple[str, tuple[Any, ...]]]  # one statement for each table, and its values
    result: T

    def restore(self) -> T:
        """Inserts the rows into an empty database and returns a copy of the result."""
        with connection.cursor() as cursor:
            for statement, values in self.inserts:
                cursor.execute(statement, values)
        return copy.deepcopy(self.result)


def take_snapshot(make: Callable[[], T]) -> Snapshot[T]:
    """Runs `make` in an empty database, keeps what it wrote, and undoes it.

    Identifiers stay: a rollback gives none back on PostgreSQL, and on SQLite the greatest one that was inserted
    counts.
    """
    with transaction.atomic():
        result = make()
        inserts = [_insert(model, rows) for model, rows in _tables() if rows]
        transaction.set_rollback(True)
    return Snapshot(inserts, result)


def _tables() -> Iterator[tuple[type[Model], list[Model]]]:
    """Every table and its rows but those that the migrations wrote."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label not in {"auth", "contenttypes"} and not model._meta.proxy:
            yield model, list(model._base_manager.all())


def _insert(model: type[Model], rows: list[Model]) -> tuple[str, tuple[Any, ...]]:
    query = InsertQuery(model)
    query.insert_values(model._meta.local_concrete_fields, rows, raw=True)
    ((statement, values),) = query.get_compiler(connection=connection).as_sql()
    return statement, values
