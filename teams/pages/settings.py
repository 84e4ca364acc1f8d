"""Renders the settings page of a team.

An invalid form renders the whole page again, so that no input is lost.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from teams.access import Access, Permission
from teams.forms.team import DeleteForm, TeamForm
from teams.forms.transfer import TransferForm
from teams.models import GatewayKey, Invitation, Membership, Token, Transfer
from teams.reauthentication import is_reauthenticated, other_methods


def settings_page(request: HttpRequest, access: Access, status: int = 200, **forms: Any) -> HttpResponse:
    """Renders the settings page.

    `forms` are forms with errors, by the context name of the form that they replace.
    """
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
        "own_tokens": Token.objects.working(now).filter(team=team, user=access.user).count(),
    }
    if context["may_own"]:
        context |= _ownership(request, access, now)
    return render(request, "teams/settings.html", context | forms, status=status)


def _ownership(request: HttpRequest, access: Access, now: datetime) -> dict[str, Any]:
    """Returns the context for the owner: the open offer of ownership, forms, and what a deletion affects."""
    team, confirmed = access.team, is_reauthenticated(request)
    open_offers = Transfer.objects.open(now).filter(team=team).select_related("successor", "offered_by")
    return {
        "transfer": open_offers.first(),
        "confirmed": confirmed,
        "other_ways": [] if confirmed else other_methods(request),
        "transfer_form": TransferForm(access=access, confirmed=confirmed),
        "delete_form": DeleteForm(),
        "members": Membership.objects.filter(team=team).count(),
        "tokens": Token.objects.working(now).filter(team=team).count(),
        "gateway_keys": GatewayKey.objects.in_state("active", now).filter(team=team).count(),
        "pending": Invitation.objects.pending(now).filter(team=team).count(),
    }
