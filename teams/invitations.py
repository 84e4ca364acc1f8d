"""Invitations as their receivers meet them, found by the secret, and as the team lists them."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.utils.translation import gettext as _

from teams.errors import ActionError, ConflictError
from teams.models import Invitation, Membership, Team, User
from teams.secrets import digest

PAGE = 50


class UnknownInvitationError(ActionError):
    """No invitation has this secret; it may have been renewed, which kills the old link."""


class ClosedInvitationError(ConflictError):
    """The invitation can no longer be accepted; `state` says why."""

    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.state = state


class WrongAccountError(ActionError):
    """The invitation is bound to another address than those of the account."""


def find_invitation(secret: str) -> Invitation:
    """The invitation with this secret, its team and inviter loaded. Raises UnknownInvitationError."""
    found = Invitation.objects.select_related("team", "invited_by").filter(digest=digest(secret)).first()
    if found is None:
        raise UnknownInvitationError(
            _("This invitation link is not known here. It may have been replaced by a newer one: ask for that.")
        )
    return found


def check_pending(invitation: Invitation, now: datetime) -> None:
    """Raises ClosedInvitationError unless the invitation can be accepted at `now`."""
    state = "deleted" if invitation.team.deleted_at else invitation.state(now)
    messages = {
        "accepted": _("This invitation was accepted already.")
        if invitation.email
        else _("This link has been used as often as it may be."),
        "declined": _("This invitation was declined."),
        "revoked": _("This invitation was revoked."),
        "expired": _("This invitation has expired. Ask for a new one."),
        "deleted": _("The team of this invitation was deleted."),
    }
    if state != "pending":
        raise ClosedInvitationError(messages[state], state)


def check_fits(invitation: Invitation, user: User) -> None:
    """Raises WrongAccountError when the invitation is bound to an address that is not the user's.

    Only confirmed addresses count, in any case; a link without an address fits everybody.
    """
    if not invitation.email or _has_address(user, invitation.email):
        return
    words = {"address": invitation.email, "email": user.email}
    if user.email.lower() == invitation.email.lower():
        raise WrongAccountError(
            _("This invitation is for %(address)s. That is your address, but it is not confirmed yet.") % words
        )
    raise WrongAccountError(
        _("This invitation is for %(address)s, but you are signed in as %(email)s.") % words
    )


def proves_address(invitation: Invitation) -> bool:
    """Whether having the secret shows that one reads the mail of the invited address.

    It does when it was mailed there and shown to nobody. Without a mail server no address can be confirmed
    at all; then the one who invites vouches for it.
    """
    return bool(invitation.email and (not settings.HAS_MAIL or not invitation.mail_error))


def is_member(invitation: Invitation, user: User) -> bool:
    """Whether the user is in the team already."""
    return Membership.objects.filter(team=invitation.team_id, user=user).exists()


def _has_address(user: User, address: str) -> bool:
    return bool(EmailAddress.objects.filter(user=user, email__iexact=address, verified=True).exists())


@dataclass(frozen=True)
class ListedInvitation:
    """One invitation as the list shows it, with its state at that moment."""

    invitation: Invitation
    state: str

    @property
    def is_open(self) -> bool:
        """Whether it can be sent again; an expired one can."""
        return self.state in {"pending", "expired"}


@dataclass(frozen=True)
class InvitationList:
    """One page of the invitations found."""

    rows: list[ListedInvitation]
    paged: Page[Invitation]


def listed(team: Team, state: str, now: datetime, page: int = 1) -> InvitationList:
    """The invitations of a team in one state, or all: newest first, a page of PAGE."""
    found = Invitation.objects.filter(team=team).filter(_in_state(state, now))
    paged = Paginator(found.select_related("invited_by").order_by("-sent_at", "-pk"), PAGE).get_page(page)
    return InvitationList([ListedInvitation(row, row.state(now)) for row in paged], paged)


def _in_state(state: str, now: datetime) -> Q:
    unended = Q(accepted_at=None, declined_at=None, revoked_at=None)
    if state in {"accepted", "declined", "revoked"}:
        return Q(**{f"{state}_at__isnull": False})
    if state == "pending":
        return unended & Q(expires_at__gt=now)
    return unended & Q(expires_at__lte=now) if state == "expired" else Q()
