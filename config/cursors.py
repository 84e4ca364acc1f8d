"""Database cursors for SQL that is not written by Django's ORM."""

from django.db import connection
from django.db.backends.utils import CursorWrapper


def repeated_cursor() -> CursorWrapper:
    """Returns a cursor for SQL statements that are executed often.

    On PostgreSQL a connection plans such a statement once and then reuses the plan, because planning takes
    several times as long as execution. Do not use it for a statement whose best plan depends on its values: the
    reused plan is the best for average values.
    """
    if connection.vendor == "postgresql":
        return connection.server_cursor(in_bytes=False)  # type: ignore[no-any-return,attr-defined]  # of config.postgresql
    return connection.cursor()


def reading_cursor() -> CursorWrapper:
    """Returns a cursor for SQL statements with large results. It reuses plans like `repeated_cursor`.

    PostgreSQL sends the values in binary form, which need not be parsed. That halves the size of latency
    sketches, and timestamps take a tenth of the time.
    """
    if connection.vendor == "postgresql":
        return connection.server_cursor(in_bytes=True)  # type: ignore[no-any-return,attr-defined]  # of config.postgresql
    return connection.cursor()
