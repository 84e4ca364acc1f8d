"""The admin page of teams."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.actions.teams import restore_team
from teams.admin.base import ReadOnlyAdmin, run_on_each, staff_of
from teams.models import Team


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    list_display = ("name", "slug", "owner", "is_personal", "time_zone", "created_at", "deleted_at")
    list_filter = ("is_personal", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("owner",)
    search_fields = ("name", "slug", "owner__email")
    ordering = ("name",)
    support_may = ("view", "change")
    actions = ("restore",)

    @admin.action(description=_("Restore deleted teams"), permissions=["act"])
    def restore(self, request: HttpRequest, rows: QuerySet[Team]) -> None:
        now = timezone.now()
        run_on_each(request, rows, lambda team: restore_team(by=staff_of(request), team=team, now=now))
