"""The context processor that adds the mode (live or test) to every page."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject


def shell(request: HttpRequest) -> dict[str, Any]:
    """Returns the mode of the page (`live` or `test`, from the parameter `mode`) as template context.

    Returns no context for visitors who are not signed in.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    # Lazy, because reading the query string fails on the error page for a bad query string.
    return {"mode": SimpleLazyObject(lambda: "test" if request.GET.get("mode") == "test" else "live")}
