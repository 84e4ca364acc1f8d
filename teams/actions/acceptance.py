"""Actions with which a person who has the secret of an invitation accepts or declines it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from teams.actions.invitations import invitation_name
from teams.actions.locks import lock_team
from teams.actions.members import join
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.invitations import check_fits, check_pending, find_invitation
from teams.models import Invitation, Membership


@transaction.atomic
def accept_invitation(*, by: Actor, secret: str, now: datetime) -> Membership:
    """Makes the actor a member with the role of the invitation, and counts one use of the invitation.

    Raises UnknownInvitationError, ClosedInvitationError with the state of the invitation, WrongAccountError,
    and ActionError if the actor is already a member. An error counts no use.
    """
    assert by.user is not None
    invitation = _locked(secret, now)
    check_fits(invitation, by.user)
    membership = join(invitation.team, by.user, invitation.role, now)
    invitation.uses += 1
    if invitation.uses == invitation.max_uses:
        invitation.accepted_at = now
    invitation.save(update_fields=["uses", "accepted_at"])
    record_activity(
        by=by,
        team=invitation.team,
        kind="invitation.accepted",
        person=by.user,
        subject=invitation_name(invitation),
        after={"id": invitation.public_id, "role": invitation.role, "uses": invitation.uses},
    )
    return membership


@transaction.atomic
def decline_invitation(*, by: Actor, secret: str, now: datetime) -> None:
    """Declines an invitation that was sent by e-mail. The actor need not be signed in.

    Raises the same errors as `accept_invitation`, and ActionError for a link, which cannot be declined.
    """
    invitation = _locked(secret, now)
    if not invitation.email:
        raise ActionError(
            _(
                "Several people can use this link, so it cannot be declined. If you do not want to join, ignore it."
            )
        )
    if by.user is not None:
        check_fits(invitation, by.user)
    invitation.declined_at = now
    invitation.save(update_fields=["declined_at"])
    record_activity(
        by=by,
        team=invitation.team,
        kind="invitation.declined",
        person=by.user,
        subject=invitation.email,
        after={"id": invitation.public_id},
    )


def _locked(secret: str, now: datetime) -> Invitation:
    """Locks the team of the invitation with this secret, and returns the invitation, which is pending.

    Raises UnknownInvitationError, ClosedInvitationError, and ConflictError if the team is deleted.
    """
    team = lock_team(find_invitation(secret).team)
    invitation = find_invitation(secret)  # again: it may have been renewed while waiting for the lock
    invitation.team = team
    check_pending(invitation, now)
    return invitation
