"""Views with which people who have the secret of an invitation view, accept or decline it."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from config.addresses import client_address
from teams.account_adapter import INVITATION_COOKIE
from teams.actions.acceptance import accept_invitation, decline_invitation
from teams.activity import Actor, actor_of
from teams.errors import ActionError
from teams.invitations import (
    ClosedInvitationError,
    UnknownInvitationError,
    WrongAccountError,
    check_fits,
    check_pending,
    find_invitation,
    is_member,
)
from teams.models import Invitation, User
from teams.rate_limit import count_wrong_secret, may_try_secret
from teams.view_helpers import signed_in_user


@login_not_required
@never_cache
def invite(request: HttpRequest, secret: str) -> HttpResponse:
    """Shows an invitation, and how to accept it: immediately, after signing in, or by signing up."""
    if not may_try_secret(request):
        return _closed(
            request, _("Too many invalid links were opened from your IP address. Try again in a minute."), 429
        )
    try:
        invitation = find_invitation(secret)
        check_pending(invitation, timezone.now())
    except UnknownInvitationError as error:
        count_wrong_secret(request)
        return _closed(request, str(error), 404)
    except ClosedInvitationError as error:
        return _closed(request, str(error), 410)
    return _open(request, secret, invitation)


@require_POST
@never_cache
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Accepts an invitation and redirects to the team.

    If it is refused, redirects to the page of the invitation.
    """
    try:
        membership = accept_invitation(by=actor_of(request), secret=secret, now=timezone.now())
    except (UnknownInvitationError, ClosedInvitationError, WrongAccountError):
        return redirect("teams:invite", secret)
    except ActionError as error:
        messages.error(request, str(error))
        return redirect("teams:invite", secret)
    messages.success(request, _("You are now a member of %(team)s.") % {"team": membership.team.name})
    response = redirect("usage:overview", membership.team.slug)
    response.delete_cookie(INVITATION_COOKIE)
    return response


@login_not_required
@require_POST
@never_cache
def decline(request: HttpRequest, secret: str) -> HttpResponse:
    """Declines an invitation that was sent by e-mail. People need not sign in for this."""
    if not may_try_secret(request):
        return redirect("teams:invite", secret)
    by = actor_of(request) if request.user.is_authenticated else Actor(None, client_address(request))
    try:
        decline_invitation(by=by, secret=secret, now=timezone.now())
    except (UnknownInvitationError, ClosedInvitationError, WrongAccountError):
        return redirect("teams:invite", secret)
    except ActionError as error:
        messages.error(request, str(error))
        return redirect("teams:invite", secret)
    response = _closed(request, _("You declined the invitation. The team can see that you declined."), 200)
    response.delete_cookie(INVITATION_COOKIE)
    return response


def _open(request: HttpRequest, secret: str, invitation: Invitation) -> HttpResponse:
    wrong_account, member = "", False
    if request.user.is_authenticated:
        user = signed_in_user(request)
        member = is_member(invitation, user)
        try:
            check_fits(invitation, user)
        except WrongAccountError as error:
            wrong_account = str(error)
    context = {
        "invitation": invitation,
        "secret": secret,
        "wrong_account": wrong_account,
        "is_member": member,
        "may_sign_up": settings.SIGNUP != "closed",
        # People who have the secret may learn whether the address has an account: they are asked to sign in.
        "has_account": bool(invitation.email) and User.objects.filter(email__iexact=invitation.email).exists(),
    }
    response = render(request, "teams/invite.html", context)
    # With this cookie the browser may sign up, and returns here after verification. It is not in the session,
    # because sessions are stored on the server, where only hashes of secrets may be stored.
    response.set_cookie(
        INVITATION_COOKIE,
        secret,
        max_age=24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def _closed(request: HttpRequest, message: str, status: int) -> HttpResponse:
    return render(request, "teams/invite_closed.html", {"message": message, "status": status}, status=status)
