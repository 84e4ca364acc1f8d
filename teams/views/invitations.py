"""Views of the invitations page, with which members invite others."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from config.http import render_page
from teams.access import Access, Permission
from teams.actions.invitations import create_link, invite_by_email, resend_invitation, revoke_invitation
from teams.activity import actor_of
from teams.forms.invitations import InviteForm, LinkForm
from teams.models import Invitation
from teams.pages.invitations import invitation_filters, list_invitations
from teams.view_helpers import access_for, run_action, run_action_for_result, run_form_action


def invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the invitations of a team, and the forms to invite people."""
    return _page(request, access_for(request, slug, Permission.INVITE))


@require_POST
@never_cache
def by_email(request: HttpRequest, slug: str) -> HttpResponse:
    """Invites people by e-mail and shows the result for each address, with a link if no e-mail was sent."""
    access = access_for(request, slug, Permission.INVITE)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, access, 422, invite_form=form)
    invited = run_form_action(
        form,
        invite_by_email,
        by=actor_of(request),
        team=access.team,
        people=form.cleaned_data["people"],
        now=timezone.now(),
    )
    if invited is None:
        return _page(request, access, 422, invite_form=form)
    return _page(request, access, invited=invited)


@require_POST
@never_cache
def by_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Creates an invitation link and shows it, once."""
    access = access_for(request, slug, Permission.INVITE)
    form = LinkForm(request.POST, auto_id="link_%s")
    if not form.is_valid():
        return _page(request, access, 422, link_form=form)
    made = run_form_action(
        form,
        create_link,
        by=actor_of(request),
        team=access.team,
        role=form.cleaned_data["role"],
        max_uses=form.cleaned_data["max_uses"],
        lifetime=timedelta(days=form.cleaned_data["days"]),
        now=timezone.now(),
    )
    if made is None:
        return _page(request, access, 422, link_form=form)
    return _page(request, access, new_link=made[1], new_invitation=made[0])


@require_POST
@never_cache
def resend(request: HttpRequest, slug: str, invitation_id: str) -> HttpResponse:
    """Gives an invitation a new secret and sends it again.

    Shows the link if the invitation was not sent by e-mail.
    """
    access = access_for(request, slug, Permission.INVITE)
    invitation = get_object_or_404(Invitation, team=access.team, public_id=invitation_id)
    renewed = run_action_for_result(
        request, resend_invitation, by=actor_of(request), invitation=invitation, now=timezone.now()
    )
    if renewed is None:
        return redirect("teams:invitations", slug)
    if not renewed.email:
        return _page(request, access, new_link=renewed.link, new_invitation=renewed.invitation)
    return _page(request, access, invited=[renewed])


@require_POST
def revoke(request: HttpRequest, slug: str, invitation_id: str) -> HttpResponse:
    """Revokes an invitation."""
    access = access_for(request, slug, Permission.INVITE)
    invitation = get_object_or_404(Invitation, team=access.team, public_id=invitation_id)
    run_action(
        request,
        _("The invitation was revoked. Its link no longer works."),
        revoke_invitation,
        by=actor_of(request),
        invitation=invitation,
        now=timezone.now(),
    )
    return redirect("teams:invitations", slug)


def _page(request: HttpRequest, access: Access, status: int = 200, **more: Any) -> HttpResponse:
    """Renders the invitations page.

    `more` adds results to the context, or replaces a form by one with errors.
    """
    now = timezone.now()
    filters = invitation_filters(access, request.GET, now)
    found = list_invitations(filters, now)
    context = {
        "access": access,
        "nav": "invitations",
        "now": now,
        "filters": filters,
        "filter_form": filters.form,
        "rows": found.rows,
        "paged": found.paged,
        "invite_form": InviteForm(),
        "link_form": LinkForm(auto_id="link_%s"),
        **more,
    }
    return render_page(request, "teams/invitations.html", "teams-invitations", context, status=status)
