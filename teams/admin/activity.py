"""The admin page of the activity."""

from django.contrib import admin

from teams.admin.base import ReadOnlyAdmin
from teams.models import Activity


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("at", "team", "actor", "kind", "person", "subject", "ip")
    list_select_related = ("team", "actor", "person")
    search_fields = ("kind", "subject", "actor__email", "person__email", "team__slug")
    ordering = ("-id",)
    show_full_result_count = False
