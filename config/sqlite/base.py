"""Django's backend for SQLite, in which writers take turns sooner."""

import sqlite3
import time

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# How long a writer sleeps before it tries again: about as long as a short transaction.
_PAUSE = 0.003


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins a transaction by trying every few milliseconds.

    SQLite itself sleeps longer and longer, up to a tenth of a second, while others who come later get the lock: with
    16 clients on one quota some waited ten times as long as most.
    """

    def _start_transaction_under_autocommit(self) -> None:
        timeout = self.settings_dict["OPTIONS"].get("timeout", 5.0)
        give_up = time.monotonic() + timeout
        self._wait_within_sqlite(0)
        try:
            while not self._has_begun(is_last=time.monotonic() >= give_up):
                time.sleep(_PAUSE)
        finally:
            self._wait_within_sqlite(timeout)

    def _has_begun(self, *, is_last: bool) -> bool:
        """Tries once. Raises OperationalError for the last try, and for anything but a lock of somebody else."""
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs
        except OperationalError as error:
            if is_last or not _is_busy(error):
                raise
            return False
        return True

    def _wait_within_sqlite(self, seconds: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _is_busy(error: OperationalError) -> bool:
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY)
