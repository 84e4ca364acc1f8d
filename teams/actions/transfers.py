"""Actions that transfer the ownership of a team.

The owner offers it to an administrator, who accepts or declines. Site staff can transfer it immediately.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from teams import mails
from teams.access import Permission
from teams.actions.checks import membership_of, require_permission, require_site
from teams.actions.locks import lock_team, lock_teams, lock_users
from teams.activity import SITE, Actor, record_activity
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Membership, Role, Team, Transfer, User

LAPSES_AFTER = timedelta(days=7)


@transaction.atomic
def offer_transfer(*, by: Actor, team: Team, successor: User, typed_name: str, now: datetime) -> Transfer:
    """Offers the ownership of a team to `successor`, one of its administrators, who has 7 days to accept.

    `typed_name` is the team's name, which the user typed to confirm. The view has already checked the owner's
    password. Raises NotAllowedError, ActionError with the invalid field, and ConflictError if there is an open
    offer.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.OWN_TEAM)
    check_typed(typed_name, team.name)
    if successor.pk == team.owner_id:
        raise ActionError(_("This person already owns the team."), field="successor")
    membership = membership_of(team, successor)
    if membership.role != Role.ADMINISTRATOR:
        message = _("%(person)s is a member. Make them an administrator first.")
        raise ActionError(message % {"person": successor.label}, field="successor")
    if not membership.user.is_active:
        raise ActionError(_("%(person)s is deactivated.") % {"person": successor.label}, field="successor")
    _close_lapsed(team, now)
    if open_offer := Transfer.objects.unanswered().filter(team=team).select_related("successor").first():
        message = _("The team has already been offered to %(person)s. Cancel that offer first.")
        raise ConflictError(message % {"person": open_offer.successor.label})
    transfer = Transfer.objects.create(
        team=team,
        offered_by=team.owner,
        successor=successor,
        offered_at=now,
        expires_at=now + LAPSES_AFTER,
    )
    _record(by, transfer, "transfer.offered")
    mails.send_on_commit(mails.transfer_offered(transfer))
    return transfer


@transaction.atomic
def accept_transfer(*, by: Actor, transfer: Transfer, now: datetime) -> Team:
    """Makes the successor the owner of the team, and the previous owner an administrator, in one transaction.

    After locking the team it checks that the offer is still open, that the owner is still the one who made it,
    and that the successor is still an active administrator. Raises NotAllowedError and ConflictError.
    """
    team, transfer = _locked(transfer)
    if by.user is None or by.user.pk != transfer.successor_id:
        raise NotAllowedError(_("Only the person to whom the team is offered can accept it."))
    _check_open(transfer, now)
    successor = membership_of(team, by.user)
    if successor.role != Role.ADMINISTRATOR or team.owner_id != transfer.offered_by_id:
        raise ConflictError(_("The roles in the team have changed since the offer. Ask for a new one."))
    before = team.owner
    _swap(team, successor)
    transfer.accepted_at = now
    transfer.save(update_fields=["accepted_at"])
    _record(by, transfer, "transfer.accepted", before={"owner": before.email}, after={"owner": by.user.email})
    subject = _("%(person)s now owns %(team)s") % {"person": by.user.label, "team": team.name}
    sentence = _("%(person)s accepted. You are now an administrator of %(team)s.")
    sentence %= {"person": by.user.label, "team": team.name}
    mails.send_on_commit(mails.transfer_ended(team, before, subject, sentence))
    return team


@transaction.atomic
def decline_transfer(*, by: Actor, transfer: Transfer, now: datetime) -> None:
    """Declines an offer of ownership. Only the successor may do this. The owner gets an e-mail.

    Raises NotAllowedError, and ConflictError if the offer is no longer open.
    """
    team, transfer = _locked(transfer)
    if by.user is None or by.user.pk != transfer.successor_id:
        raise NotAllowedError(_("Only the person to whom the team is offered can decline it."))
    _check_open(transfer, now)
    transfer.declined_at = now
    transfer.save(update_fields=["declined_at"])
    _record(by, transfer, "transfer.declined")
    subject = _("%(person)s declined to take over %(team)s") % {"person": by.user.label, "team": team.name}
    sentence = _("%(person)s declined to take over %(team)s. You remain its owner.")
    sentence %= {"person": by.user.label, "team": team.name}
    mails.send_on_commit(mails.transfer_ended(team, team.owner, subject, sentence))


@transaction.atomic
def cancel_transfer(*, by: Actor, transfer: Transfer, now: datetime) -> None:
    """Cancels an offer of ownership. Only the owner may do this. The successor gets an e-mail.

    Raises NotAllowedError, and ConflictError if the offer is no longer open.
    """
    team, transfer = _locked(transfer)
    require_permission(by, team, Permission.OWN_TEAM)
    _check_open(transfer, now)
    transfer.cancelled_at = now
    transfer.save(update_fields=["cancelled_at"])
    _record(by, transfer, "transfer.cancelled")
    subject = _("The offer to take over %(team)s was cancelled") % {"team": team.name}
    sentence = _("%(person)s cancelled the offer to transfer %(team)s to you.")
    sentence %= {"person": team.owner.label, "team": team.name}
    mails.send_on_commit(mails.transfer_ended(team, transfer.successor, subject, sentence))


@transaction.atomic
def transfer_by_staff(*, by: Actor, team: Team, successor: User, now: datetime) -> Team:
    """Makes any member of a team its owner immediately, for example if the owner is not available.

    An open offer is cancelled. Raises NotAllowedError unless site staff act, and for a personal space,
    ActionError if the successor already owns the team, and ConflictError if the successor is not in the team or
    is deactivated.
    """
    team = lock_team(team)
    require_site(by)
    require_permission(by, team, Permission.OWN_TEAM)  # refuses a personal space
    membership = membership_of(team, successor)
    if membership.role == Role.OWNER:
        raise ActionError(_("This person already owns the team."), field="successor")
    _close_open(team, now)
    before = team.owner
    _swap(team, membership)
    record_activity(
        by=by,
        team=team,
        kind="transfer.by_staff",
        person=successor,
        subject=successor.email,
        before={"owner": before.email},
        after={"owner": successor.email},
    )
    subject = _("%(person)s now owns %(team)s") % {"person": successor.label, "team": team.name}
    sentence = _("Site staff made %(person)s the owner of %(team)s.")
    sentence %= {"person": successor.label, "team": team.name}
    for person in (before, successor):
        mails.send_on_commit(mails.transfer_ended(team, person, subject, sentence))
    return team


def lapse_transfers(*, now: datetime) -> int:
    """Closes the offers of ownership that nobody answered within 7 days, and returns how many."""
    lapsed = 0
    for team_id in list(Transfer.objects.lapsed(now).values_list("team", flat=True)):
        with transaction.atomic():
            for team in lock_teams([team_id]).values():
                lapsed += _close_lapsed(team, now)
    return lapsed


def cancel_offers(team: Team, user: User, now: datetime) -> list[str]:
    """Cancels the open offers of a team's ownership that `user` made or received.

    Actions call it when the user leaves or may no longer accept; they have locked the team. Returns the public
    ids of the offers, for the activity row of the caller.
    """
    return _close_open(team, now, Q(successor=user) | Q(offered_by=user))


def check_typed(typed: str, name: str) -> None:
    """Raises ActionError unless `typed` is `name`, the name that a user must type to confirm a change.

    Surrounding spaces are ignored.
    """
    if typed.strip() != name.strip():
        raise ActionError(
            _("Enter the name exactly as shown: “%(name)s”.") % {"name": name}, field="typed_name"
        )


def _locked(transfer: Transfer) -> tuple[Team, Transfer]:
    team = lock_team(transfer.team)
    fresh = Transfer.objects.select_related("successor", "offered_by").get(pk=transfer.pk)
    fresh.team = team
    return team, fresh


def _check_open(transfer: Transfer, now: datetime) -> None:
    messages = {
        "accepted": _("This offer has already been accepted."),
        "declined": _("%(person)s has declined this offer.") % {"person": transfer.successor.label},
        "cancelled": _("This offer was cancelled."),
        "lapsed": _("This offer expired after 7 days. The owner can make a new one."),
    }
    state = transfer.state(now)
    if state != "open":
        raise ConflictError(messages[state])


def _swap(team: Team, successor: Membership) -> None:
    """Makes the owner an administrator, and then the successor the owner.

    The order matters, because a database constraint forbids two owners. Raises ConflictError if the successor
    is deactivated.
    """
    active = lock_users([successor.user_id])[successor.user_id].is_active
    if not active:
        raise ConflictError(_("%(person)s is deactivated.") % {"person": successor.user.label})
    Membership.objects.filter(team=team, role=Role.OWNER).update(role=Role.ADMINISTRATOR)
    successor.role = Role.OWNER
    successor.save(update_fields=["role"])
    team.owner = successor.user
    team.save(update_fields=["owner"])


def _close_lapsed(team: Team, now: datetime) -> int:
    lapsed = list(Transfer.objects.lapsed(now).filter(team=team).select_related("successor"))
    for transfer in lapsed:
        transfer.cancelled_at = transfer.expires_at
        transfer.save(update_fields=["cancelled_at"])
        _record(SITE, transfer, "transfer.lapsed")
    return len(lapsed)


def _close_open(team: Team, now: datetime, which: Q | None = None) -> list[str]:
    _close_lapsed(team, now)
    offers = Transfer.objects.unanswered().filter(which or Q(), team=team)
    public_ids = list(offers.values_list("public_id", flat=True))
    offers.update(cancelled_at=now)
    return public_ids


def _record(
    by: Actor,
    transfer: Transfer,
    kind: str,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    record_activity(
        by=by,
        team=transfer.team,
        kind=kind,
        person=transfer.successor,
        subject=transfer.successor.email,
        before=before,
        after={"id": transfer.public_id, **(after or {})},
    )
