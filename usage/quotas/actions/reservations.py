"""Makes, rolls back and settles reservations.

A reservation sets quota aside before a call, so that concurrent calls cannot spend the same money.
"""

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

# Teams rarely change their owner or time zone, so a third attempt is hardly ever needed.
_ATTEMPTS = 3
# All reservations of a team and its payer need the same locks, so one thread locks for all that wait.
_granting = GroupCommit(grant_all, most=32)


class InsufficientQuotaError(ActionError):
    """A quota level does not cover the amount of a reservation. `state` is the first such level.

    The order is token, member, team, owner.
    """

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
    """Reserves quota for a call of `user`, made with one of their tokens or without a token.

    A repeated request with the same `request_id` gets the same reservation while that one is open. If the price
    of the call is not known, the amount is the one that the team has set. If that is 0, the call is allowed
    while each level has some quota left.

    Raises InsufficientQuotaError (which is counted as a refusal), RefusedKeyError for a token or member that
    may no longer make calls, and ActionError if another token or member has an open reservation with the same
    `request_id`. Raises ConflictError if the team's owner keeps changing meanwhile.
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
    """Grants or refuses a request, together with those of other threads for the same team and payer."""
    if connection.in_atomic_block:  # other threads must not wait until the caller's transaction ends
        return grant_all([asked])[0]
    team, payer = asked.subject.team, asked.subject.payer
    # Grouped by the rows as read, so that a request with outdated rows only fails together with others like it.
    as_read = [(one.pk, one.owner_id, one.time_zone, one.is_personal) for one in (team, payer)]
    return _granting.do(tuple(as_read), asked)


def _granted(asked: Asked, answer: Answer) -> Granted:
    """Returns the answer if it is a reservation of the same token and member; otherwise raises the matching
    error.
    """
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
    """Rolls back a reservation, so that its amount is available again. Returns it as it is now.

    One that was settled or rolled back, or has expired, stays unchanged.
    """
    with transaction.atomic():
        lock_teams([reservation.team_id])
        fresh = Reservation.objects.get(pk=reservation.pk)
        if fresh.counts(now):
            _end([fresh], now)
        return fresh


def roll_back_reservations(*, team: Team, user: User, now: datetime) -> int:
    """Rolls back all open reservations of a user in a team, and returns their number. The team must be locked."""
    open_ones = Reservation.objects.filter(team=team, member=user, ended_at=None, expires_at__gt=now)
    return _end(list(open_ones), now)


class Settlement(NamedTuple):
    """A call that names a reservation, to be settled with the call's cost."""

    reservation_id: str
    team_id: int
    mode: int
    member_id: int
    cost_nanos: int


def settle_reservations(settlements: Sequence[Settlement], now: datetime) -> dict[int, str]:
    """Ends the reservations of calls, whose real cost replaces the reserved amount.

    Each reservation can be settled only once, but also after it expired or was rolled back. Must run in the
    transaction that stores and charges the calls, while their teams are locked. Returns messages about those
    that could not be settled, by their position; these calls are charged, but no reserved amount is released.
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
    """Identifies a call: its team, mode and member, and the request id that a reservation for it has."""

    team_id: int
    mode: int
    member_id: int
    request_id: str


def has_open_reservations(team_ids: Collection[int], now: datetime) -> bool:
    """Returns whether there are open reservations of these teams."""
    return bool(team_ids) and _open(team_ids, now).exists()


def open_reservations_of(calls: Collection[CallOf], now: datetime) -> dict[CallOf, str]:
    """Returns the ids of the open reservations that were made for these calls, found by request id; by call.

    Must run in the same transaction as `settle_reservations`.
    """
    found = (
        _open({call.team_id for call in calls}, now)
        .exclude(request_id="")  # the index has no rows without a request id
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
    """Ends reservations and subtracts the amounts of the open ones from `ReservedSum`; returns how many were
    open.
    """
    counting = [reservation for reservation in reservations if reservation.counts(now)]
    run_together(list(addition_to_sums(counting, -1)))
    for reservation in reservations:
        reservation.ended_at = reservation.ended_at or now
    Reservation.objects.bulk_update(reservations, ["ended_at", "settled_nanos"], batch_size=500)
    return len(counting)
