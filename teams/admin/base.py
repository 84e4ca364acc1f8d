"""Base of our pages in the Django admin: rows cannot be edited, and actions run on selected rows."""

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

# The stubs declare ModelAdmin as generic, but the class itself is not.
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(_ModelAdmin):
    """Admin page whose rows cannot be edited or deleted. Staff select rows in the list and run actions."""

    actions_selection_counter = True
    # The permissions that support staff have on this page; "change" permits running its actions.
    support_may: ClassVar[tuple[str, ...]] = ("view",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether the user may run the actions of this page.

        They need Django's permission to change its table.
        """
        return request.user.has_perm(f"teams.change_{self.opts.model_name}")


def staff_of(request: HttpRequest) -> Actor:
    """Returns the signed-in staff user of a request as an `Actor` with the rights of site staff."""
    return Actor(signed_in_user(request), client_address(request), as_staff=True)


def run_on_each(request: HttpRequest, rows: Iterable[Model], act: Callable[[Any], object]) -> None:
    """Runs `act` on each row.

    Adds a message for each row that was refused, and one with the number of successes.
    """
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except ActionError as error:
            messages.error(request, f"{row}: {error}")
    if done:
        messages.success(request, _now("Rows changed: %(count)d.") % {"count": done})
