"""Django's session store in the database, with a compiled query."""

from functools import cache

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from teams.compiled_queries import CompiledQuery


class SessionStore(DatabaseStore):
    """Django's session store, except that it finds a session by a compiled query.

    Every request of a signed-in user reads a session.
    """

    def _get_session_from_db(self) -> Session | None:
        found: Session | None = _sessions().find(self.session_key or "")
        if found is None or found.expire_date <= timezone.now():
            self._session_key = None
            return None
        return found


@cache
def _sessions() -> CompiledQuery:
    return CompiledQuery(lambda key: Session.objects.filter(session_key=key), ["a key"])
