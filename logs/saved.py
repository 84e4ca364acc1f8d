"""The views that somebody can open: their own and those shared in the team."""

from django.db.models import Q, QuerySet

from logs.models import SavedView
from teams.access import Access


def saved_for(access: Access) -> QuerySet[SavedView]:
    """Own and shared views, by name."""
    mine = Q(user=access.user) | Q(is_shared=True)
    return SavedView.objects.filter(mine, team=access.team).select_related("user").order_by("name", "pk")
