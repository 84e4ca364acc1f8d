"""The adapter of django-allauth: this site's rules for sign-up, personal spaces, e-mail and invitations."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.addresses import client_address
from teams.actions.users import set_up_user
from teams.activity import Actor
from teams.invitations import (
    ClosedInvitationError,
    UnknownInvitationError,
    check_pending,
    find_invitation,
    proves_address,
)
from teams.models import Invitation, User

logger = logging.getLogger(__name__)

# The cookie with the secret of the invitation that this browser has opened.
INVITATION_COOKIE = "invitation"
_MAIL_SENT = "account/messages/email_confirmation_sent.txt"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Allows sign-up according to CALLBOARD_SIGNUP and gives every new user a personal space."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "invitation":
            return opened_invitation(request) is not None
        return bool(settings.SIGNUP == "open")

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Whether an address counts as verified.

        Besides the addresses that django-allauth has verified, that is the address to which the invitation that
        the browser has opened was sent by e-mail.
        """
        if super().is_email_verified(request, email):
            return True
        invitation = opened_invitation(request)
        if invitation is None:
            return False
        return proves_address(invitation) and invitation.email.lower() == email.lower()

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Returns the URL of the invitation that the browser has opened, or the default of django-allauth."""
        if opened_invitation(request):
            return reverse("teams:invite", args=[request.COOKIES[INVITATION_COOKIE]])
        url: str = super().get_login_redirect_url(request)
        return url

    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=commit)
        if commit and not saved.owned_teams.filter(is_personal=True).exists():
            set_up_user(by=Actor(saved, client_address(request)), user=saved)
        return saved

    def get_client_ip(self, request: HttpRequest) -> str:
        """Returns the client's IP address, for rate limits and the list of sessions."""
        return client_address(request) or "127.0.0.1"  # a Unix socket: a client on this machine

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sends an e-mail; if the mail server fails, the page shows a message instead of an error."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            logger.warning("A mail could not be sent: %s", error)
            self.request.mail_failed = True
            text = _("The e-mail could not be sent. Try again later, or contact the site administrators.")
            messages.error(self.request, text)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *more: Any, **named: Any
    ) -> None:
        """Adds a message to the page, except "an e-mail was sent" if no e-mail could be sent."""
        sent = settings.HAS_MAIL and not getattr(request, "mail_failed", False)
        if message_template != _MAIL_SENT or sent:
            super().add_message(request, level, message_template, *more, **named)


def opened_invitation(request: HttpRequest) -> Invitation | None:
    """Returns the invitation that this browser has opened, or None if there is none that can be accepted."""
    secret = request.COOKIES.get(INVITATION_COOKIE)
    if not secret:
        return None
    try:
        invitation = find_invitation(secret)
        check_pending(invitation, timezone.now())
    except (UnknownInvitationError, ClosedInvitationError):
        return None
    return invitation


def invited_address(request: HttpRequest) -> str:
    """Returns the only e-mail address that may sign up with the opened invitation, or "" if any address may."""
    if settings.SIGNUP != "invitation":
        return ""
    invitation = opened_invitation(request)
    return invitation.email if invitation else ""
