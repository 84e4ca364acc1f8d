"""Actions that invite people by e-mail or link, and that resend or revoke invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from teams import mails
from teams.access import Permission
from teams.actions.checks import require_permission
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError, ConflictError
from teams.models import Invitation, Membership, Role, Team
from teams.secrets import INVITATION_PREFIX, digest, new_secret

EXPIRES_AFTER = timedelta(days=7)
LONGEST = timedelta(days=90)
MOST_AT_ONCE = 200
MOST_USES = 1000


class InvitationOutcome(StrEnum):
    """What happened when one address was invited."""

    INVITED = "invited"
    RENEWED = "renewed"  # the address had an expired invitation, which was sent again
    PENDING = "pending"  # the address has already been invited and can still accept
    MEMBER = "member"  # the address belongs to a member of the team
    TWICE = "twice"  # the address is in the list more than once
    INVALID = "invalid"  # the text is not an e-mail address


@dataclass(frozen=True)
class InvitationRequest:
    """The e-mail address of a person to invite, and the role that they get."""

    email: str
    role: str = Role.MEMBER


@dataclass(frozen=True)
class InvitationResult:
    """The outcome for one address.

    `link` is the invitation's URL with its secret, which may be shown once, or "".
    """

    email: str
    outcome: InvitationOutcome
    invitation: Invitation | None = None
    link: str = ""


@transaction.atomic
def invite_by_email(
    *, by: Actor, team: Team, people: Sequence[InvitationRequest], now: datetime
) -> list[InvitationResult]:
    """Invites each address that is not a member's and not yet invited. Returns a result for each address.

    If an address has an expired invitation, that is renewed with the new role. E-mails are sent after the
    commit; if sending fails, `invitation.mail_error` of the result has the reason. Raises NotAllowedError, and
    ActionError if `people` is empty or too long, or a role is invalid.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.INVITE)
    if not people:
        raise ActionError(_("Enter at least one e-mail address."), field="emails")
    if len(people) > MOST_AT_ONCE:
        message = _("Enter at most %(most)d addresses at once.") % {"most": MOST_AT_ONCE}
        raise ActionError(message, field="emails")
    seen: set[str] = set()
    outcomes = []
    for wanted in people:
        outcomes.append(_invite_one(by, team, wanted, seen, now))
        seen.add(wanted.email.strip().lower())
    return outcomes


@transaction.atomic
def create_link(
    *,
    by: Actor,
    team: Team,
    role: str,
    now: datetime,
    lifetime: timedelta = EXPIRES_AFTER,
    max_uses: int = 1,
) -> tuple[Invitation, str]:
    """Creates an invitation link with which up to `max_uses` people can join.

    Returns the invitation and its URL. The URL contains the secret and can be shown only now. Raises
    NotAllowedError, and ActionError with the field that is invalid.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.INVITE)
    _check_role(role)
    if not 1 <= max_uses <= MOST_USES:
        raise ActionError(
            _("Enter a number of uses from 1 to %(most)d.") % {"most": MOST_USES}, field="max_uses"
        )
    if not timedelta(0) < lifetime <= LONGEST:
        raise ActionError(
            _("A link can be valid for at most %(days)d days.") % {"days": LONGEST.days}, field="days"
        )
    secret = new_secret(INVITATION_PREFIX)
    invitation = Invitation.objects.create(
        team=team,
        role=role,
        max_uses=max_uses,
        digest=digest(secret),
        invited_by=by.user or team.owner,
        created_at=now,
        sent_at=now,
        expires_at=now + lifetime,
    )
    after = {"role": role, "max_uses": max_uses, "expires_at": invitation.expires_at.isoformat()}
    _record(by, invitation, "invitation.link_created", after=after)
    return invitation, mails.invitation_link(secret)


@transaction.atomic
def resend_invitation(*, by: Actor, invitation: Invitation, now: datetime) -> InvitationResult:
    """Gives an invitation or link a new secret and 7 more days from now; the old secret stops working.

    An invitation by e-mail is sent again after the commit. Raises NotAllowedError, and ConflictError if the
    invitation was accepted, declined or revoked.
    """
    invitation = _locked(by, invitation)
    _check_not_ended(invitation, now)
    before = invitation.expires_at
    link = _renew(invitation, now)
    _record(
        by,
        invitation,
        "invitation.resent",
        before={"expires_at": before.isoformat()},
        after={"expires_at": invitation.expires_at.isoformat()},
    )
    return InvitationResult(invitation.email, InvitationOutcome.RENEWED, invitation, link)


@transaction.atomic
def revoke_invitation(*, by: Actor, invitation: Invitation, now: datetime) -> None:
    """Revokes an invitation, so that nobody can accept it any more.

    Raises NotAllowedError, and ConflictError if the invitation was accepted, declined or revoked.
    """
    invitation = _locked(by, invitation)
    _check_not_ended(invitation, now)
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at"])
    _record(by, invitation, "invitation.revoked", before={"uses": invitation.uses})


def invitation_name(invitation: Invitation) -> str:
    """Returns the name of an invitation in the activity: its e-mail address, or the public id of a link."""
    return invitation.email or invitation.public_id


def _invite_one(
    by: Actor, team: Team, wanted: InvitationRequest, seen: set[str], now: datetime
) -> InvitationResult:
    email = wanted.email.strip()
    _check_role(wanted.role)
    try:
        validate_email(email)
    except ValidationError:
        return InvitationResult(email, InvitationOutcome.INVALID)
    if email.lower() in seen:
        return InvitationResult(email, InvitationOutcome.TWICE)
    if _is_member(team, email):
        return InvitationResult(email, InvitationOutcome.MEMBER)
    earlier = _unanswered(team, email)
    if earlier and earlier.state(now) == "pending":
        return InvitationResult(email, InvitationOutcome.PENDING, earlier)
    invitation = earlier or Invitation(team=team, email=email, created_at=now)
    invitation.team, invitation.role, invitation.invited_by = team, wanted.role, by.user or team.owner
    link = _renew(invitation, now)
    kind = "invitation.resent" if earlier else "invitation.sent"
    _record(
        by, invitation, kind, after={"role": invitation.role, "expires_at": invitation.expires_at.isoformat()}
    )
    return InvitationResult(
        email, InvitationOutcome.RENEWED if earlier else InvitationOutcome.INVITED, invitation, link
    )


def _renew(invitation: Invitation, now: datetime) -> str:
    """Gives an invitation a new secret, which is valid for 7 days, saves it, and returns its URL.

    An invitation to an address is sent by e-mail after the commit.
    """
    secret = new_secret(INVITATION_PREFIX)
    invitation.digest = digest(secret)
    invitation.sent_at = now
    invitation.expires_at = now + EXPIRES_AFTER
    # Set before sending, so that the page offers the link even if the process dies meanwhile.
    invitation.mail_error = (
        "" if settings.HAS_MAIL or not invitation.email else _("No mail server is configured.")
    )
    invitation.save()
    if invitation.email:
        mails.send_on_commit(mails.invitation(invitation, secret), _note_failure(invitation))
    return mails.invitation_link(secret)


def _note_failure(invitation: Invitation) -> mails.OnFailure:
    def note(error: str) -> None:
        invitation.mail_error = error
        Invitation.objects.filter(pk=invitation.pk, digest=invitation.digest).update(mail_error=error)

    return note


def _locked(by: Actor, invitation: Invitation) -> Invitation:
    team = lock_team(invitation.team)
    require_permission(by, team, Permission.INVITE)
    fresh = Invitation.objects.select_related("invited_by").get(pk=invitation.pk)
    fresh.team = team
    return fresh


def _check_not_ended(invitation: Invitation, now: datetime) -> None:
    messages = {
        "accepted": _("%(name)s has already accepted.")
        if invitation.email
        else _("This link has reached its maximum number of uses."),
        "declined": _("%(name)s has declined. Invite them again if that was a mistake."),
        "revoked": _("This invitation has already been revoked."),
    }
    message = messages.get(invitation.state(now))
    if message:
        raise ConflictError(message % {"name": invitation.email})


def _check_role(role: str) -> None:
    if role not in {Role.ADMINISTRATOR, Role.MEMBER}:
        raise ActionError(_("Choose the role administrator or member."), field="role")


def _is_member(team: Team, email: str) -> bool:
    members = Membership.objects.filter(team=team)
    return (
        members.filter(user__email__iexact=email).exists()
        or members.filter(user__emailaddress__email__iexact=email, user__emailaddress__verified=True).exists()
    )


def _unanswered(team: Team, email: str) -> Invitation | None:
    """Returns the pending or expired invitation of an address to the team, or None."""
    return Invitation.objects.unanswered().filter(team=team, email__iexact=email).first()


def _record(
    by: Actor,
    invitation: Invitation,
    kind: str,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    record_activity(
        by=by,
        team=invitation.team,
        kind=kind,
        subject=invitation_name(invitation),
        before=before,
        after={"id": invitation.public_id, **(after or {})},
    )
