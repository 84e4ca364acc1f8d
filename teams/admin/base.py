"""What all pages of the Django admin share: rows that no form changes, and actions on selected rows."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _now

from config.addresses import client_address
from teams.activity import Actor
from teams.errors import ActionError
from teams.view_helpers import signed_in_user

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


def staff_of(request: HttpRequest) -> Actor:
    """The member of staff at work, with the rights of the site."""
    return Actor(signed_in_user(request), client_address(request), as_staff=True)


def run_on_each(request: HttpRequest, rows: Iterable[Model], act: Callable[[Any], object]) -> None:
    """Runs an action on each row by itself and says what came of it."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except ActionError as error:
            messages.error(request, f"{row}: {error}")
    if done:
        messages.success(request, _now("Rows changed: %(count)d.") % {"count": done})
