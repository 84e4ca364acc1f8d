"""Django's backend for PostgreSQL, which asks a connection less often whether it still works."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Trusts a connection on which the server has said nothing since the last request.

    Django sends each connection a `SELECT 1` before it is used again. A server that goes away, or ends a
    connection, says so on it or closes it, and either makes it readable; only then is the question worth a trip,
    which is a seventh of what a reservation takes.
    """

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.pgconn.status != ConnStatus.OK:
            return False
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return super().is_usable() if poll.poll(0) else True
