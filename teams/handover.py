"""The settings page as a whole: each of its forms answers with it, so that what was typed stays."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from teams.access import Access, Permission
from teams.confirmation import is_confirmed, other_ways
from teams.forms import DeleteForm, TeamForm, TransferForm
from teams.models import GatewayKey, Invitation, Membership, Token
from teams.offers import open_offer


def settings_page(request: HttpRequest, access: Access, status: int = 200, **forms: Any) -> HttpResponse:
    """The page; `forms` replaces one of its forms by one that was filled in."""
    team, now = access.team, timezone.now()
    initial = {"name": team.name, "description": team.description, "time_zone": team.time_zone}
    context: dict[str, Any] = {
        "access": access,
        "nav": "settings",
        "now": now,
        "has_mail": settings.HAS_MAIL,
        "may_edit": access.may(Permission.EDIT_TEAM),
        "may_own": access.may(Permission.OWN_TEAM),
        "general_form": TeamForm(initial=initial),
        "own_tokens": Token.objects.filter(team=team, user=access.user, revoked_at=None).count(),
    }
    if context["may_own"]:
        context |= _ownership(request, access, now)
    return render(request, "teams/settings.html", context | forms, status=status)


def _ownership(request: HttpRequest, access: Access, now: datetime) -> dict[str, Any]:
    """What only the owner sees: the transfer under way or its form, and what a deletion would end."""
    team, confirmed = access.team, is_confirmed(request)
    unended = {"accepted_at": None, "declined_at": None, "revoked_at": None}
    return {
        "transfer": open_offer(team, now),
        "confirmed": confirmed,
        "other_ways": [] if confirmed else other_ways(request),
        "transfer_form": TransferForm(access=access, confirmed=confirmed),
        "delete_form": DeleteForm(),
        "members": Membership.objects.filter(team=team).count(),
        "tokens": Token.objects.filter(team=team, revoked_at=None).count(),
        "gateway_keys": GatewayKey.objects.filter(team=team, revoked_at=None).count(),
        "pending": Invitation.objects.filter(team=team, expires_at__gt=now, **unended).count(),
    }
