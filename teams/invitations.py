"""Rules for people who open an invitation: finds an invitation by its secret, and checks who may accept it."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils.translation import gettext as _

from teams.errors import ActionError, ConflictError
from teams.models import Invitation, Membership, User
from teams.secrets import digest


class UnknownInvitationError(ActionError):
    """Raised if no invitation has the secret.

    The invitation may have been renewed, which gives it another secret.
    """


class ClosedInvitationError(ConflictError):
    """Raised if an invitation can no longer be accepted. `state` is the reason, such as `expired`."""

    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.state = state


class WrongAccountError(ActionError):
    """Raised if the invitation is for an e-mail address that is not a verified address of the account."""


def find_invitation(secret: str) -> Invitation:
    """Returns the invitation with this secret; its team and the user who sent it are loaded.

    Raises UnknownInvitationError.
    """
    found = Invitation.objects.select_related("team", "invited_by").filter(digest=digest(secret)).first()
    if found is None:
        raise UnknownInvitationError(
            _("This invitation link does not exist. If a newer link has replaced it, ask for that one.")
        )
    return found


def check_pending(invitation: Invitation, now: datetime) -> None:
    """Raises ClosedInvitationError unless the invitation can be accepted at `now`."""
    state = "deleted" if invitation.team.deleted_at else invitation.state(now)
    messages = {
        "accepted": _("This invitation has already been accepted.")
        if invitation.email
        else _("This link has reached its maximum number of uses."),
        "declined": _("This invitation was declined."),
        "revoked": _("This invitation was revoked."),
        "expired": _("This invitation has expired. Ask for a new one."),
        "deleted": _("The team of this invitation was deleted."),
    }
    if state != "pending":
        raise ClosedInvitationError(messages[state], state)


def check_fits(invitation: Invitation, user: User) -> None:
    """Raises WrongAccountError if the invitation is for an e-mail address that is not the user's.

    The address must be verified; upper and lower case are the same. An invitation by link is for everybody.
    """
    if not invitation.email or _has_address(user, invitation.email):
        return
    words = {"address": invitation.email, "email": user.email}
    if user.email.lower() == invitation.email.lower():
        raise WrongAccountError(
            _("This invitation is for %(address)s. This is your address, but it is not verified yet.") % words
        )
    raise WrongAccountError(
        _("This invitation is for %(address)s, but you are signed in as %(email)s.") % words
    )


def proves_address(invitation: Invitation) -> bool:
    """Whether opening the invitation proves that a person receives the mail of the invited e-mail address.

    That is so if its secret was sent only by e-mail. Without a mail server no address can be verified; then the
    invitation counts as proof, because the person who invites is trusted.
    """
    return bool(invitation.email and (not settings.HAS_MAIL or not invitation.mail_error))


def is_member(invitation: Invitation, user: User) -> bool:
    """Whether the user is already a member of the invitation's team."""
    return Membership.objects.filter(team=invitation.team_id, user=user).exists()


def _has_address(user: User, address: str) -> bool:
    return bool(EmailAddress.objects.filter(user=user, email__iexact=address, verified=True).exists())
