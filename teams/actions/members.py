"""Actions on members: adding and removing a member, changing a role, leaving a team."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from teams import mails
from teams.access import Permission, may_change_role, may_manage
from teams.actions.checks import membership_of, require_permission, require_site
from teams.actions.locks import lock_team, lock_users
from teams.actions.transfers import cancel_offers
from teams.activity import Actor, record_activity
from teams.errors import ActionError, NotAllowedError
from teams.models import Membership, Role, Team, Token, User
from teams.signals import member_left


@transaction.atomic
def add_member(*, by: Actor, team: Team, user: User, role: str = Role.MEMBER) -> Membership:
    """Adds a user to a team without an invitation. Only site staff and commands may do this.

    Raises NotAllowedError, and ActionError if the user is already a member or deactivated, if the role is
    owner, or if the team is a personal space.
    """
    team = lock_team(team)
    require_site(by)
    membership = join(team, user, role)
    record_activity(
        by=by, team=team, kind="member.added", person=user, subject=user.email, after={"role": role}
    )
    return membership


def join(team: Team, user: User, role: str, now: datetime | None = None) -> Membership:
    """Creates the membership of a user in a team, which the caller has locked, and returns it.

    Raises ActionError if the user is already a member or deactivated, if the role is owner, or if the team is a
    personal space.
    """
    if team.is_personal:
        raise ActionError(_("A personal space can have only one member."))
    if role not in {Role.ADMINISTRATOR, Role.MEMBER}:
        raise ActionError(_("A team has only one owner. Choose administrator or member."), field="role")
    if not lock_users([user.pk])[user.pk].is_active:
        raise ActionError(_("%(person)s is deactivated.") % {"person": user.label}, field="email")
    if Membership.objects.filter(team=team, user=user).exists():
        raise ActionError(_("%(person)s is already in this team.") % {"person": user.label}, field="email")
    joined = {"joined_at": now} if now else {}
    return Membership.objects.create(team=team, user=user, role=role, **joined)


@transaction.atomic
def change_role(*, by: Actor, team: Team, user: User, role: str, now: datetime) -> Membership:
    """Makes a member an administrator, or an administrator a member.

    If the user already has the role, nothing changes. A user who becomes a member can no longer accept an offer
    of the team's ownership: it is cancelled. Raises NotAllowedError, and ConflictError if the user is no longer
    in the team.
    """
    team = lock_team(team)
    actor_role = require_permission(by, team, Permission.MANAGE_MEMBERS)
    membership = membership_of(team, user)
    before = membership.role
    if not may_change_role(actor_role, before, role):
        raise NotAllowedError(_refusal(before, role), field="role")
    if role == before:
        return membership
    membership.role = role
    membership.save(update_fields=["role"])
    cancelled = cancel_offers(team, user, now) if role == Role.MEMBER else []
    record_activity(
        by=by,
        team=team,
        kind="member.role_changed",
        person=user,
        subject=user.email,
        before={"role": before},
        after={"role": role, **_cancelled(cancelled)},
    )
    mails.send_on_commit(mails.role_changed(membership, by))
    return membership


@transaction.atomic
def remove_member(*, by: Actor, team: Team, user: User, now: datetime) -> None:
    """Removes a member from a team and revokes their tokens there, in one transaction. Past usage is kept.

    Nobody can remove the owner; administrators can remove only those with the role member. Raises
    NotAllowedError, and ConflictError if the user is no longer in the team.
    """
    team = lock_team(team)
    actor_role = require_permission(by, team, Permission.MANAGE_MEMBERS)
    membership = membership_of(team, user)
    if not may_manage(actor_role, membership.role):
        raise NotAllowedError(_refusal(membership.role))
    _end_membership(by=by, membership=membership, kind="member.removed", now=now)
    mails.send_on_commit(mails.removed(team, user, by))


@transaction.atomic
def leave_team(*, by: Actor, team: Team, now: datetime) -> None:
    """Removes the actor from the team and revokes their tokens there.

    Raises ActionError for the owner and in a personal space, and ConflictError if the actor is not in the team.
    """
    team = lock_team(team)
    if by.user is None:
        raise NotAllowedError(_("Only a user can leave a team."))
    membership = membership_of(team, by.user)
    if team.is_personal:
        raise ActionError(_("You cannot leave your personal space."))
    if membership.role == Role.OWNER:
        raise ActionError(_("You own this team. Transfer the ownership before you leave."))
    _end_membership(by=by, membership=membership, kind="member.left", now=now)


def revoke_tokens(team: Team, user: User, now: datetime) -> int:
    """Revokes all tokens of a user in a team, and returns how many there were."""
    return Token.objects.unrevoked().filter(team=team, user=user).update(revoked_at=now)


def _end_membership(*, by: Actor, membership: Membership, kind: str, now: datetime) -> None:
    team, user = membership.team, membership.user
    revoked = revoke_tokens(team, user, now)
    cancelled = cancel_offers(team, user, now)
    role = membership.role
    membership.delete()
    member_left.send(sender=Membership, team=team, user=user)
    record_activity(
        by=by,
        team=team,
        kind=kind,
        person=user,
        subject=user.email,
        before={"role": role},
        after={"tokens_revoked": revoked, **_cancelled(cancelled)},
    )


def _cancelled(public_ids: list[str]) -> dict[str, str]:
    return {"transfer_cancelled": public_ids[0]} if public_ids else {}


def _refusal(role: str, new_role: str = "") -> str:
    if role == Role.OWNER:
        return _("The role of the owner can only be changed by a transfer of ownership.")
    if new_role == Role.OWNER:
        return _("To make somebody the owner, transfer the ownership of the team.")
    return _("Only the owner can change or remove an administrator.")
