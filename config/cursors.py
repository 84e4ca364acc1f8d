"""Database cursors for hand-written SQL."""

from django.db import connection
from django.db.backends.utils import CursorWrapper


def repeated_cursor() -> CursorWrapper:
    """Returns a cursor for statements that are executed often: PostgreSQL plans them once per
    connection, because planning takes several times as long as execution.

    Not for statements whose best plan depends on the values: the kept plan is the one for average values.
    """
    if connection.vendor == "postgresql":
        return connection.server_cursor(in_bytes=False)  # type: ignore[no-any-return,attr-defined]  # of config.postgresql
    return connection.cursor()


def reading_cursor() -> CursorWrapper:
    """Returns a cursor for large results: PostgreSQL sends values in binary form, which need not be parsed.

    This halves the size of latency sketches and takes a tenth of the time for timestamps. Plans are kept as with
    `repeated_cursor`.
    """
    if connection.vendor == "postgresql":
        return connection.server_cursor(in_bytes=True)  # type: ignore[no-any-return,attr-defined]  # of config.postgresql
    return connection.cursor()
