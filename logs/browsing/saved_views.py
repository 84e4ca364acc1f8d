"""Reads the saved views that a user can open: their own and those shared in the team."""

import functools

from django.db.models import Q, QuerySet

from logs.models import SavedView
from teams.access import Access
from teams.compiled_queries import CompiledQuery
from teams.models import User


def saved_for(access: Access) -> QuerySet[SavedView]:
    """Returns the views that the user can open, by name."""
    return _saved_for(access.user.pk, access.team.pk)


def list_saved(access: Access) -> list[SavedView]:
    """Returns the views that the user can open, by name, with their owners loaded. Used for the menu of the
    list, with a query that is compiled once.
    """
    return _menu().all(access.user.pk, access.team.pk)


def _saved_for(user_id: int, team_id: int) -> QuerySet[SavedView]:
    mine = Q(user=user_id) | Q(is_shared=True)
    return SavedView.objects.filter(mine, team=team_id).order_by("name", "pk")


@functools.cache
def _menu() -> CompiledQuery:
    return CompiledQuery(_saved_for, [-1, -2], [("user", User)])
