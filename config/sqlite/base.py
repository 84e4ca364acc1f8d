"""Django's backend for SQLite, which waits for locks in Python instead of in SQLite."""

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# Seconds between two attempts: about the duration of a short transaction.
_PAUSE = 0.003


class DatabaseWrapper(base.DatabaseWrapper):
    """Repeats a statement every few milliseconds while the database is locked, for `timeout` seconds (OPTIONS).

    SQLite itself sleeps for increasing times, up to 100 ms, while connections that came later get the lock: with
    16 clients on one quota, some waited ten times as long as most. It also holds the connection's mutex meanwhile.
    A thread that collects garbage finalizes statements of other threads, for which it needs that
    mutex; if this thread holds the database lock, everything waits until the timeout.
    """

    @property
    def patience(self) -> float:
        """How long to wait for a lock, in seconds; 5 by default, as in Python's sqlite3."""
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
        """Commits; waits for readers if the file system does not support a write-ahead log."""
        _until_free(super()._commit, self.patience)  # type: ignore[misc]  # not in the stubs


class _Cursor(base.SQLiteCursorWrapper):
    """Waits for locks in `execute`, but not in `executemany`, which would repeat rows that it has already written."""

    patience: float

    def execute(self, query: str, params: Any = None) -> Self:
        _until_free(partial(super().execute, query, params), self.patience)
        return self


def _until_free(act: Callable[[], object], seconds: float) -> None:
    """Calls `act` until no lock prevents it, and raises its error when the time is over."""
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
    """Whether the error is a lock that will be released. A snapshot that is too old to write never becomes valid."""
    code = getattr(error.__cause__ or error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT
