"""Sessions in the database, as Django keeps them, found without putting the query together each time."""

from functools import cache

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from teams.compiled_queries import CompiledQuery


class SessionStore(DatabaseStore):
    """Django's own; every page of somebody who has signed in begins by finding a session."""

    def _get_session_from_db(self) -> Session | None:
        found: Session | None = _sessions().find(self.session_key or "")
        if found is None or found.expire_date <= timezone.now():
            self._session_key = None
            return None
        return found


@cache
def _sessions() -> CompiledQuery:
    return CompiledQuery(lambda key: Session.objects.filter(session_key=key), ["a key"])
