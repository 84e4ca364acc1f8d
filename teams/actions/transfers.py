"""Actions to transfer a team: offered by the owner and accepted by an administrator, or at once by site staff."""

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
    """Offers a team to one of its administrators for 7 days. `typed_name` must be the team's name.

    The view has checked the owner's password. Raises NotAllowedError, ActionError with the field, and
    ConflictError if an offer is open.
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
    """Makes the successor the owner and the owner an administrator, in one transaction.

    Checks again under the lock that the offer is open, that the owner is still the one who
    offered, and that the successor is an active administrator. Raises NotAllowedError, ConflictError.
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
    """Declines an offer, by the successor; the owner gets an e-mail."""
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
    """Cancels an offer, by the owner; the successor gets an e-mail."""
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
    """Makes any member the owner immediately, if the owner is not available. Cancels an open offer.

    Raises NotAllowedError unless site staff act, ActionError for a personal space, ConflictError when the
    successor is not in the team.
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
    """Closes offers that nobody answered within 7 days, and returns how many."""
    lapsed = 0
    for team_id in list(Transfer.objects.lapsed(now).values_list("team", flat=True)):
        with transaction.atomic():
            for team in lock_teams([team_id]).values():
                lapsed += _close_lapsed(team, now)
    return lapsed


def cancel_offers(team: Team, user: User, now: datetime) -> list[str]:
    """Cancels open offers to or by a user who leaves or is demoted, in the transaction that locked the team.

    Returns their public ids, for the activity of the calling action.
    """
    return _close_open(team, now, Q(successor=user) | Q(offered_by=user))


def check_typed(typed: str, name: str) -> None:
    """Raises ActionError unless the typed name is the name, apart from surrounding spaces."""
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
    """Makes the owner an administrator, then the successor the owner: a constraint forbids two owners."""
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
