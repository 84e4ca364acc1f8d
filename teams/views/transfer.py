"""Views that offer the ownership of a team, and that accept, decline or cancel an offer."""

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from teams.access import Access, Permission
from teams.actions.transfers import accept_transfer, cancel_transfer, decline_transfer, offer_transfer
from teams.activity import actor_of
from teams.forms.transfer import TransferForm
from teams.models import Transfer
from teams.pages.settings import settings_page
from teams.reauthentication import is_reauthenticated
from teams.view_helpers import access_for, run_action, run_form_action


@require_POST
def offer(request: HttpRequest, slug: str) -> HttpResponse:
    """Offers the ownership to an administrator, if the owner typed the team's name and has reauthenticated."""
    access = access_for(request, slug, Permission.OWN_TEAM)
    form = TransferForm(request.POST, access=access, confirmed=is_reauthenticated(request))
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        form.add_error(None, _("Too many attempts. Try again in a minute."))
    if form.is_valid():
        successor = form.cleaned_data["successor"]
        transfer = run_form_action(
            form,
            offer_transfer,
            by=actor_of(request),
            team=access.team,
            successor=successor,
            typed_name=form.cleaned_data["typed_name"],
            now=timezone.now(),
        )
        if transfer:
            messages.success(
                request, _("You offered the ownership of the team to %(person)s.") % {"person": successor.label}
            )
            return redirect("teams:settings", slug)
    return settings_page(request, access, 422, transfer_form=form)


@require_POST
def accept(request: HttpRequest, slug: str, transfer_id: str) -> HttpResponse:
    """Accepts an offer of ownership. Only the successor may do this."""
    access = access_for(request, slug, Permission.SEE_OWN)
    done = _("You now own %(team)s.") % {"team": access.team.name}
    transfer = _transfer(access, transfer_id)
    run_action(request, done, accept_transfer, by=actor_of(request), transfer=transfer, now=timezone.now())
    return redirect("teams:settings", slug)


@require_POST
def decline(request: HttpRequest, slug: str, transfer_id: str) -> HttpResponse:
    """Declines an offer of ownership. Only the successor may do this."""
    access = access_for(request, slug, Permission.SEE_OWN)
    done = _("You declined. The owner was notified.")
    transfer = _transfer(access, transfer_id)
    run_action(request, done, decline_transfer, by=actor_of(request), transfer=transfer, now=timezone.now())
    return redirect("teams:settings", slug)


@require_POST
def cancel(request: HttpRequest, slug: str, transfer_id: str) -> HttpResponse:
    """Cancels an offer of ownership. Only the owner may do this."""
    access = access_for(request, slug, Permission.OWN_TEAM)
    done = _("The offer was cancelled. You remain the owner.")
    transfer = _transfer(access, transfer_id)
    run_action(request, done, cancel_transfer, by=actor_of(request), transfer=transfer, now=timezone.now())
    return redirect("teams:settings", slug)


def _transfer(access: Access, transfer_id: str) -> Transfer:
    return get_object_or_404(Transfer, team=access.team, public_id=transfer_id)
