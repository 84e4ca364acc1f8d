"""Context of every page: the mode."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject


def shell(request: HttpRequest) -> dict[str, Any]:
    """Returns the mode of the page, for users who are signed in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    # Lazy, because reading the query fails on the error page for a bad query.
    return {"mode": SimpleLazyObject(lambda: "test" if request.GET.get("mode") == "test" else "live")}
