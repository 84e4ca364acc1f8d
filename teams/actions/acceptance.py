"""Answering an invitation: by whoever holds its secret and, if it is bound to one, has the address."""

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
    """Makes the actor a member in the invited role, using up one use of a link.

    Raises UnknownInvitationError, ClosedInvitationError with its state, WrongAccountError, and ActionError
    for somebody who is in the team already (which uses nothing up).
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
    """Ends an invitation by e-mail for good, also without signing in: having the secret is enough.

    Raises as `accept_invitation` does; a link is for many and cannot be declined.
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
    """The pending invitation under the lock of its team; found before by the secret, checked after."""
    team = lock_team(find_invitation(secret).team)
    invitation = find_invitation(secret)  # again: it may have been renewed while we waited
    invitation.team = team
    check_pending(invitation, now)
    return invitation
