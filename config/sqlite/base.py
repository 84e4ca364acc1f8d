"""Database backend for SQLite: Django's, but it waits for locks in Python instead of in SQLite."""

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# Seconds between two attempts to get the lock: about the duration of a short transaction.
_PAUSE = 0.003


class DatabaseWrapper(base.DatabaseWrapper):
    """Repeats a statement every few milliseconds while the database is locked.

    It gives up after `timeout` seconds, which OPTIONS of the database set. SQLite itself would wait longer
    after each attempt, up to 100 ms, while connections that came later get the lock: with 16 clients on one
    quota, some waited ten times as long as most. SQLite would also hold the connection's mutex while it waits.
    A thread that collects garbage needs that mutex to finalize statements of other threads. If this thread
    holds the database lock, everything would wait until the timeout.
    """

    @property
    def patience(self) -> float:
        """How many seconds to wait for a lock; 5 by default, as in Python's sqlite3."""
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
        """Commits the transaction.

        It waits for readers if the file system does not support a write-ahead log.
        """
        _until_free(super()._commit, self.patience)  # type: ignore[misc]  # not in the stubs


class _Cursor(base.SQLiteCursorWrapper):
    """Waits for locks in `execute`.

    It does not in `executemany`, which would repeat rows that it has already written.
    """

    patience: float

    def execute(self, query: str, params: Any = None) -> Self:
        _until_free(partial(super().execute, query, params), self.patience)
        return self


def _until_free(act: Callable[[], object], seconds: float) -> None:
    """Calls `act` again until no lock prevents it. Raises its error after `seconds`."""
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
    """Whether an error means that another connection has a lock which it will release.

    A transaction whose snapshot is too old to write also fails with a lock error, but never succeeds later.
    """
    code = getattr(error.__cause__ or error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT
