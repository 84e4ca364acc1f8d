"""Pages of the Django admin that change nothing by a form."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

# Django's class takes a type for the checker, but not when it runs.
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(_ModelAdmin):
    """Rows to look at; the changes are the actions of the list."""

    actions_selection_counter = True
    # The permissions that support staff have here; "change" is for running the actions.
    support_may: ClassVar[tuple[str, ...]] = ("view",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may run the actions: staff with Django's permission to change rows of this table."""
        return request.user.has_perm(f"teams.change_{self.opts.model_name}")
