"""Database backend for PostgreSQL: Django's, with fewer round trips and faster reading of results."""

import select
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from django.db.backends.utils import CursorWrapper
from psycopg.adapt import AdaptersMap, Buffer
from psycopg.pq import ConnStatus, Format


class UtcLoader(BaseTzLoader):  # type: ignore[misc]  # not in the stubs
    """Reads timestamps in UTC with Python's parser, which takes a tenth of the time of psycopg's parser."""

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        text = bytes(data).decode()
        if text.endswith("+00"):  # the base class handles "infinity" and years BC
            return datetime.fromisoformat(text)
        return super().load(data)  # type: ignore[no-any-return]  # not in the stubs


class DatabaseWrapper(base.DatabaseWrapper):
    """Reuses a connection without a check if the server has sent nothing on it since the last request.

    Django checks a connection by `SELECT 1` before each request that reuses it. But a server that shuts down or
    ends a connection sends something or closes the socket, and both make the socket readable. So `SELECT 1` is
    sent only if the socket is readable. Its round trip takes a seventh of the time of a reservation.
    """

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if self.timezone == UTC:
            parameters["context"] = AdaptersMap(parameters["context"])
            parameters["context"].register_loader("timestamptz", UtcLoader)
        return parameters

    def server_cursor(self, *, in_bytes: bool) -> CursorWrapper:
        """Returns a cursor that sends parameters separately from the SQL, which lets the server reuse its plan.

        Django's cursors insert the parameters into the SQL. With `in_bytes`, the server sends values in binary
        form.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = psycopg.Cursor(self.connection)
            cursor.format = Format.BINARY if in_bytes else Format.TEXT
            return self._prepare_cursor(cursor)  # type: ignore[no-any-return,attr-defined]  # not in the stubs

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.pgconn.status != ConnStatus.OK:
            return False
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return super().is_usable() if poll.poll(0) else True
