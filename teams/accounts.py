"""How django-allauth is bound to this site's users."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from teams.actions.users import create_personal_space
from teams.invitations import (
    ClosedInvitationError,
    UnknownInvitationError,
    check_pending,
    find_invitation,
    proves_address,
)
from teams.models import Invitation, User

# The secret of the invitation that this browser has opened.
INVITATION_COOKIE = "invitation"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-up as the setting CALLBOARD_SIGNUP says; every new user gets a personal space."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "invitation":
            return opened_invitation(request) is not None
        return bool(settings.SIGNUP == "open")

    def clean_email(self, email: str) -> str:
        """Where sign-up is by invitation only, one by e-mail opens it to that address only."""
        cleaned: str = super().clean_email(email)
        if settings.SIGNUP == "invitation" and not self.request.user.is_authenticated:
            invitation = opened_invitation(self.request)
            if invitation and invitation.email and invitation.email.lower() != cleaned.lower():
                message = _("The invitation is for %(address)s. Sign up with that address.")
                raise ValidationError(message % {"address": invitation.email})
        return cleaned

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """The secret of an invitation that was mailed to the address confirms it."""
        if super().is_email_verified(request, email):
            return True
        invitation = opened_invitation(request)
        if invitation is None:
            return False
        return proves_address(invitation) and invitation.email.lower() == email.lower()

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Back to the invitation that brought somebody here, else where allauth would lead."""
        if opened_invitation(request):
            return reverse("teams:invite", args=[request.COOKIES[INVITATION_COOKIE]])
        url: str = super().get_login_redirect_url(request)
        return url

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=commit)
        if commit and not saved.owned_teams.filter(is_personal=True).exists():
            create_personal_space(saved)
        return saved


def opened_invitation(request: HttpRequest) -> Invitation | None:
    """The invitation that this browser has opened, while it can be accepted."""
    secret = request.COOKIES.get(INVITATION_COOKIE)
    if not secret:
        return None
    try:
        invitation = find_invitation(secret)
        check_pending(invitation, timezone.now())
    except (UnknownInvitationError, ClosedInvitationError):
        return None
    return invitation
