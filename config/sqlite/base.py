"""Django's backend for SQLite, in which whoever waits for a lock waits outside of SQLite."""

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# How long a statement sleeps before it tries again: about as long as a short transaction.
_PAUSE = 0.003


class DatabaseWrapper(base.DatabaseWrapper):
    """Statements that find the database locked are tried again every few milliseconds, for OPTIONS' `timeout` seconds.

    SQLite itself sleeps longer and longer, up to a tenth of a second, while others who come later get the lock: with
    16 clients on one quota some waited ten times as long as most. And it sleeps with the connection's mutex in hand.
    A thread that collects garbage ends the statements of other threads that were left in it, for which it wants that
    mutex; if it is the one that has the lock, nothing goes on until the time is over.
    """

    @property
    def patience(self) -> float:
        """How long to wait for a lock, in seconds; 5 as in Python's own module."""
        return float(self.settings_dict["OPTIONS"].get("timeout", 5))

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: str | None = None) -> sqlite3.Cursor:
        cursor: _Cursor = self.connection.cursor(factory=_Cursor)
        cursor.patience = self.patience
        return cursor

    def _commit(self) -> None:
        """Waits for nobody in a write-ahead log, but for readers where the disk can have none."""
        _until_free(super()._commit, self.patience)  # type: ignore[misc]  # not in the stubs


class _Cursor(base.SQLiteCursorWrapper):
    """Waits for a lock `patience` seconds; not so `executemany`, which would do again what it has done already."""

    patience: float

    def execute(self, query: str, params: Any = None) -> Self:
        _until_free(partial(super().execute, query, params), self.patience)
        return self


def _until_free(act: Callable[[], object], seconds: float) -> None:
    """Acts as soon as no lock of others forbids it. Raises what `act` does when the time is over."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            act()
        except (sqlite3.OperationalError, OperationalError) as error:
            if not _is_locked(error) or time.monotonic() >= give_up:
                raise
        else:
            return
        time.sleep(_PAUSE)


def _is_locked(error: Exception) -> bool:
    """Whether somebody has a lock that they will give back. A snapshot that is too old to write stays so."""
    code = getattr(error.__cause__ or error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT
