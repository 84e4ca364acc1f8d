"""The admin page of memberships."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.actions.members import change_role, remove_member
from teams.actions.transfers import transfer_by_staff
from teams.admin.base import ReadOnlyAdmin, run_on_each, staff_of
from teams.models import Membership, Role


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("team", "user", "role", "joined_at")
    list_filter = ("role", "team__is_personal")
    list_select_related = ("team", "user")
    search_fields = ("team__name", "team__slug", "user__email", "user__name")
    ordering = ("team__name", "user__email")
    support_may = ("view", "change")
    actions = ("make_owner", "make_administrator", "make_member", "remove")

    @admin.action(description=_("Make owner immediately (the owner is not available)"), permissions=["act"])
    def make_owner(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(
            request, rows, lambda row: transfer_by_staff(by=by, team=row.team, successor=row.user, now=now)
        )

    @admin.action(description=_("Make administrator"), permissions=["act"])
    def make_administrator(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        self._set_role(request, rows, Role.ADMINISTRATOR)

    @admin.action(description=_("Make member"), permissions=["act"])
    def make_member(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        self._set_role(request, rows, Role.MEMBER)

    @admin.action(description=_("Remove from the team"), permissions=["act"])
    def remove(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(request, rows, lambda row: remove_member(by=by, team=row.team, user=row.user, now=now))

    def _set_role(self, request: HttpRequest, rows: QuerySet[Membership], role: str) -> None:
        now, by = timezone.now(), staff_of(request)
        run_on_each(
            request, rows, lambda row: change_role(by=by, team=row.team, user=row.user, role=role, now=now)
        )
