"""Cursors for statements that are written by hand."""

from django.db import connection
from django.db.backends.utils import CursorWrapper


def reading_cursor() -> CursorWrapper:
    """A cursor for reading much at once: PostgreSQL's values come in bytes, not as text that has to be taken apart.

    Of latency sketches that is half as long, and of times a tenth of the work.
    """
    if connection.vendor == "postgresql":
        return connection.binary_cursor()  # type: ignore[no-any-return,attr-defined]  # of config.postgresql
    return connection.cursor()
