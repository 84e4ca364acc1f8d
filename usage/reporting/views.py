"""The pages of API tokens and gateway keys: what each reported, and what was rejected."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from teams.access import Access, Permission
from teams.models import GatewayKey
from teams.pages.tokens import token_of
from teams.view_helpers import access_for
from usage.reporting.counting import Key
from usage.reporting.figures import key_report


def token(request: HttpRequest, slug: str, token_id: str) -> HttpResponse:
    """Shows what an API token reported; members see only their own tokens, owner and administrators all."""
    access = access_for(request, slug, Permission.SEE_OWN)
    key = token_of(access, token_id)
    return _page(request, access, key, holder=key.user)


def gateway_key(request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
    """Shows what a gateway key of the team reported, to users with the permission EDIT_TEAM."""
    access = access_for(request, slug, Permission.EDIT_TEAM)
    return _page(request, access, get_object_or_404(GatewayKey, team=access.team, public_id=key_id))


def _page(request: HttpRequest, access: Access, key: Key, **more: Any) -> HttpResponse:
    now = timezone.now()
    context = {
        "access": access,
        "nav": "tokens",
        "key": key,
        "state": key.state(now),
        "report": key_report(key, now),
        "clock": access.team.zone,
        "now": now,
        **more,
    }
    return render(request, "usage/reporting/key.html", context)
