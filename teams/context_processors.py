"""What every page's frame needs: the contexts of the switcher and the mode."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from teams.models import Membership


def shell(request: HttpRequest) -> dict[str, Any]:
    """The user's memberships, personal space first, then by name; asked for only when a template shows them."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}

    def contexts() -> list[Membership]:
        return list(
            Membership.objects.filter(user=user, team__deleted_at=None)
            .select_related("team")
            .order_by("-team__is_personal", "team__name", "team_id")
        )

    return {
        "contexts": SimpleLazyObject(contexts),
        "mode": "test" if request.GET.get("mode") == "test" else "live",
    }
