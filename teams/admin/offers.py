"""The admin pages of invitations and ownership transfers."""

from django.contrib import admin

from teams.admin.base import ReadOnlyAdmin
from teams.models import Invitation, Transfer


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    exclude = ("digest",)
    list_display = ("__str__", "role", "invited_by", "sent_at", "expires_at", "uses", "mail_error")
    list_select_related = ("team", "invited_by")
    search_fields = ("email", "team__name", "team__slug")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = (
        "team",
        "offered_by",
        "successor",
        "offered_at",
        "accepted_at",
        "declined_at",
        "cancelled_at",
    )
    list_select_related = ("team", "offered_by", "successor")
