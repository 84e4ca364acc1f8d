"""The settings page as a whole: each of its forms answers with it, so that what was typed stays."""

from datetime import datetime
from typing import Any

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from teams.access import Access, Permission
from teams.forms import DeleteForm, TeamForm, TransferForm
from teams.models import GatewayKey, Invitation, Membership, Token
from teams.offers import open_offer
from teams.requests import signed_in


def is_confirmed(request: HttpRequest) -> bool:
    """Whether somebody without a password has just signed in or confirmed by a passkey instead."""
    return not signed_in(request).has_usable_password() and bool(did_recently_reauthenticate(request))


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
    team = access.team
    unended = {"accepted_at": None, "declined_at": None, "revoked_at": None}
    return {
        "transfer": open_offer(team, now),
        "confirmed": is_confirmed(request),
        "transfer_form": TransferForm(access=access, confirmed=is_confirmed(request)),
        "delete_form": DeleteForm(),
        "members": Membership.objects.filter(team=team).count(),
        "tokens": Token.objects.filter(team=team, revoked_at=None).count(),
        "gateway_keys": GatewayKey.objects.filter(team=team, revoked_at=None).count(),
        "pending": Invitation.objects.filter(team=team, expires_at__gt=now, **unended).count(),
    }
