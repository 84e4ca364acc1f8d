"""What every page's frame needs: the contexts of the switcher and the mode."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from teams.access import memberships_of


def shell(request: HttpRequest) -> dict[str, Any]:
    """The user's memberships, personal space first, then by name; asked for only when a template shows them."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}

    return {
        "contexts": SimpleLazyObject(partial(memberships_of, user)),
        # Read only by pages that have a mode: not by the one which says that the query cannot be read.
        "mode": SimpleLazyObject(lambda: "test" if request.GET.get("mode") == "test" else "live"),
    }
