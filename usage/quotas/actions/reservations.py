"""Reservations: quota set aside before a call, so that concurrent calls cannot spend the same money."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from teams.actions.locks import lock_teams
from teams.credentials import Refusal, RefusedKeyError
from teams.errors import ActionError, ConflictError
from teams.models import Team, User
from usage.quotas.actions.granting import Answer, Asked, Granted, Wanted, addition_to_sums, grant_all
from usage.quotas.actions.locked_levels import TeamChangedError
from usage.quotas.availability import Subject, remembered_payer
from usage.quotas.group_commit import GroupCommit
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Reservation
from usage.rollups.bulk import run_together

# A team changes hands or zone once in a while; thrice within one reservation is nobody's doing.
_ATTEMPTS = 3
# All reservations of a team and its payer wait for the same locks: one thread takes them for all who wait.
_granting = GroupCommit(grant_all, most=32)


class InsufficientQuotaError(ActionError):
    """A level cannot cover the amount. `state` is the first such level: token, member, team, owner."""

    def __init__(self, state: LevelState) -> None:
        super().__init__(_MESSAGES[state.level]())
        self.state = state


_MESSAGES = {
    Level.TOKEN: lambda: _("The quota of this token does not cover this call."),
    Level.MEMBER: lambda: _("Your quota in this team does not cover this call."),
    Level.TEAM: lambda: _("The team's quota does not cover this call."),
    Level.OWNER: lambda: _("The owner's balance does not cover this call."),
}


def reserve_quota(
    *, team: Team, mode: int, user: User, token_id: int | None, wanted: Wanted, now: datetime
) -> Granted:
    """Puts quota aside for a call of `user`, by one of their tokens or without.

    The same `request_id` again gives the same reservation, whatever became of it. For an unpriced
    model the team's own amount is reserved; where that is 0, it is let through only while every level has something
    left.

    Raises InsufficientQuotaError (which is counted), RefusedKeyError for a token or member that may not call
    any more, and ActionError for a `request_id` that somebody else has used.
    """
    for _attempt in range(_ATTEMPTS):
        payer = team if team.is_personal else remembered_payer(team.owner_id)
        asked = Asked(Subject(team, payer, mode, user.pk, token_id or 0), wanted, now)
        try:
            return _granted(asked, _answer(asked))
        except TeamChangedError:
            remembered_payer.cache_clear()
            team = Team.objects.get(pk=team.pk)
    raise ConflictError(_("The team's owner is being changed. Try again."))


def _answer(asked: Asked) -> Answer:
    """Grants or refuses, together with what other threads ask of the same team and payer."""
    if connection.in_atomic_block:  # others must not wait for a transaction that goes on
        return grant_all([asked])[0]
    team, payer = asked.subject.team, asked.subject.payer
    # As the teams were read: who read them before a change must not spoil it for those who come after.
    as_read = [(one.pk, one.owner_id, one.time_zone, one.is_personal) for one in (team, payer)]
    return _granting.do(tuple(as_read), asked)


def _granted(asked: Asked, answer: Answer) -> Granted:
    """The answer if it is a reservation of the same token or member; otherwise raises the matching error."""
    if isinstance(answer, LevelState):
        raise InsufficientQuotaError(answer)
    if isinstance(answer, Refusal):
        raise RefusedKeyError(answer)
    reservation, subject = answer.reservation, asked.subject
    if (reservation.member_id, reservation.token_id or 0) != (subject.member_id, subject.token_id):
        message = _("Another token or member already reserved with this request_id.")
        raise ActionError(message, field="request_id")
    return answer


def roll_back_reservation(*, reservation: Reservation, now: datetime) -> Reservation:
    """Gives back the reserved amount. A reservation that was settled, rolled back or has expired stays as it
    is.
    """
    with transaction.atomic():
        lock_teams([reservation.team_id])
        fresh = Reservation.objects.get(pk=reservation.pk)
        if fresh.counts(now):
            _end([fresh], now)
        return fresh


def roll_back_reservations(*, team: Team, user: User, now: datetime) -> int:
    """Gives back everything that somebody has reserved in a team; returns how many. Needs the team's lock."""
    open_ones = Reservation.objects.filter(team=team, member=user, ended_at=None, expires_at__gt=now)
    return _end(list(open_ones), now)


class Settlement(NamedTuple):
    """A call and the reservation that it settles."""

    reservation_id: str
    team_id: int
    mode: int
    member_id: int
    cost_nanos: int


def settle_reservations(settlements: Sequence[Settlement], now: datetime) -> dict[int, str]:
    """Replaces reserved amounts by real costs, each reservation once, even one that expired or was rolled back.

    Runs in the transaction that stores and charges the calls, which holds their teams' locks. Returns, by
    position, why a settlement failed: that call is charged, and nothing is given back.
    """
    known = Reservation.objects.in_bulk({settlement.reservation_id for settlement in settlements})
    problems: dict[int, str] = {}
    settled: list[Reservation] = []
    for position, settlement in enumerate(settlements):
        reservation = known.get(settlement.reservation_id)
        if reservation is None or not _is_for(reservation, settlement):
            problems[position] = _("This member has no such reservation. The call was charged.")
        elif reservation.settled_nanos is not None:
            problems[position] = _("Another call already settled this reservation. This call was charged too.")
        else:
            reservation.settled_nanos = settlement.cost_nanos
            settled.append(reservation)
    _end(settled, now)
    return problems


class CallOf(NamedTuple):
    """Whose call it is, and the request id that a reservation for it would have."""

    team_id: int
    mode: int
    member_id: int
    request_id: str


def has_open_reservations(team_ids: Collection[int], now: datetime) -> bool:
    """Whether any reservation of these teams is open."""
    return bool(team_ids) and _open(team_ids, now).exists()


def open_reservations_of(calls: Collection[CallOf], now: datetime) -> dict[CallOf, str]:
    """The ids of the open reservations that were made for these calls, by their request ids.

    Runs where `settle_reservations` does.
    """
    found = (
        _open({call.team_id for call in calls}, now)
        .exclude(request_id="")  # which are not in the index
        .filter(mode__in={call.mode for call in calls}, request_id__in={call.request_id for call in calls})
        .values_list("team_id", "mode", "member_id", "request_id", "id")
    )
    by_call = {CallOf(team, mode, member, request_id): id_ for team, mode, member, request_id, id_ in found}
    return {call: by_call[call] for call in calls if call in by_call}


def _open(team_ids: Collection[int], now: datetime) -> QuerySet[Reservation]:
    return Reservation.objects.filter(team_id__in=team_ids, ended_at=None, expires_at__gt=now)


def _is_for(reservation: Reservation, settlement: Settlement) -> bool:
    made_for = (reservation.team_id, reservation.mode, reservation.member_id)
    return made_for == (settlement.team_id, settlement.mode, settlement.member_id)


def _end(reservations: Sequence[Reservation], now: datetime) -> int:
    """Ends reservations and subtracts those that still counted from the sums; returns how many still counted."""
    counting = [reservation for reservation in reservations if reservation.counts(now)]
    run_together(list(addition_to_sums(counting, -1)))
    for reservation in reservations:
        reservation.ended_at = reservation.ended_at or now
    Reservation.objects.bulk_update(reservations, ["ended_at", "settled_nanos"], batch_size=500)
    return len(counting)
