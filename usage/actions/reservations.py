"""Reservations: quota put aside before a call, so that nobody spends what somebody else was promised."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils.translation import gettext as _

from teams.actions.locks import lock_teams
from teams.credentials import Refusal as KeyRefusal
from teams.credentials import RefusedKeyError, refusal_of, tokens_with_standing
from teams.errors import ActionError, ConflictError
from teams.models import Team, User
from usage.actions.payers import PayerChangedError, lock_payer
from usage.bulk import add_up
from usage.levels import LevelKey, LevelState, adapted_time, slot_of
from usage.models import Level, Reservation, ReservedSum
from usage.quotas import Subject, levels_of
from usage.refusals import count_refusal

# A team changes hands once in a while; twice within one reservation is nobody's doing.
_ATTEMPTS = 3


class InsufficientQuotaError(ActionError):
    """A level cannot cover the amount. `state` is the first that cannot: token, member, team, owner."""

    def __init__(self, state: LevelState) -> None:
        super().__init__(_MESSAGES[state.level]())
        self.state = state


_MESSAGES = {
    Level.TOKEN: lambda: _("The quota of this token does not cover this call."),
    Level.MEMBER: lambda: _("Your quota in this team does not cover this call."),
    Level.TEAM: lambda: _("The team's quota does not cover this call."),
    Level.OWNER: lambda: _("The balance that pays for these calls does not cover this one."),
}


@dataclass(frozen=True)
class Wanted:
    """What is to be reserved. `is_unpriced`: nobody knows the price, `amount_nanos` is 0."""

    amount_nanos: int
    ttl: timedelta
    model: str = ""
    request_id: str = ""
    is_unpriced: bool = False


@dataclass(frozen=True)
class Granted:
    """A reservation, and what all levels look like with it in them."""

    reservation: Reservation
    levels: list[LevelState]


def reserve_quota(
    *, team: Team, mode: int, user: User, token_id: int | None, wanted: Wanted, now: datetime
) -> Granted:
    """Puts quota aside for a call of `user`, by one of their tokens or without.

    The same `request_id` again gives the same reservation, whatever became of it. An unpriced model costs
    nothing, so nothing is put aside, but it is let through only while every level has something left.

    Raises InsufficientQuotaError (which is counted), RefusedKeyError for a token or member that may not call
    any more, and ActionError for a `request_id` that somebody else has used.
    """
    for _attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                result = _reserve(team, mode, user.pk, token_id, wanted, now)
        except PayerChangedError:
            team.refresh_from_db(fields=["owner"])
            continue
        if isinstance(result, LevelState):
            raise InsufficientQuotaError(result)
        return result
    raise ConflictError(_("The team is changing hands at this moment. Try again."))


def _reserve(
    team: Team, mode: int, user_id: int, token_id: int | None, wanted: Wanted, now: datetime
) -> Granted | LevelState:
    """The reservation, or the level that refuses it, which the transaction counts and then commits."""
    team, payer = lock_payer(team)
    _check_standing(team, user_id, token_id, now)
    levels = levels_of(Subject(team, payer, mode, user_id, token_id or 0), now)
    earlier = _earlier(team, mode, wanted.request_id)
    if earlier is not None:
        if (earlier.member_id, earlier.token_id) != (user_id, token_id):
            message = _("Another token or member has reserved with this request_id.")
            raise ActionError(message, field="request_id")
        return Granted(earlier, levels)
    for state in levels:
        if not state.covers(wanted.amount_nanos or int(wanted.is_unpriced)):
            count_refusal(team, mode, state, now)
            return state
    reservation = Reservation.objects.create(
        team=team,
        payer=payer,
        mode=mode,
        member_id=user_id,
        token_id=token_id,
        request_id=wanted.request_id,
        model=wanted.model,
        amount_nanos=wanted.amount_nanos,
        created_at=now,
        expires_at=now + wanted.ttl,
    )
    _add_to_sums([reservation], 1)
    return Granted(reservation, [state.with_reserved(wanted.amount_nanos) for state in levels])


def _check_standing(team: Team, user_id: int, token_id: int | None, now: datetime) -> None:
    """Asks again, under the lock: the token may have been revoked since the request came in."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [token_id, adapted_time(now), team.pk, user_id])
        row = cursor.fetchone()
    if row is None or (token_id is not None and row[0] is None):
        token = tokens_with_standing().filter(pk=token_id).first() if token_id is not None else None
        raise RefusedKeyError((token and refusal_of(token, now)) or KeyRefusal.LEFT)


# The member and their working token. In SQL for the reason given in `usage.actions.payers`.
_STANDING = """
SELECT teams_token.id
FROM teams_membership
JOIN teams_user ON teams_user.id = teams_membership.user_id AND teams_user.is_active
LEFT JOIN teams_token ON teams_token.id = %s
  AND teams_token.team_id = teams_membership.team_id AND teams_token.user_id = teams_membership.user_id
  AND disabled_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)
WHERE teams_membership.team_id = %s AND teams_membership.user_id = %s
"""


def _earlier(team: Team, mode: int, request_id: str) -> Reservation | None:
    if not request_id:
        return None
    return Reservation.objects.filter(team=team, mode=mode, request_id=request_id).first()


def roll_back_reservation(*, reservation: Reservation, now: datetime) -> Reservation:
    """Gives back what is put aside. One that was settled, rolled back or has lapsed stays as it is."""
    with transaction.atomic():
        lock_teams([reservation.team_id])
        fresh = Reservation.objects.get(pk=reservation.pk)
        if fresh.counts(now):
            _end([fresh], now)
        return fresh


def roll_back_reservations(*, team: Team, user: User, now: datetime) -> int:
    """Gives back all that somebody has put aside in a team; how many. Needs the team's lock."""
    open_ones = Reservation.objects.filter(team=team, member=user, ended_at=None, expires_at__gt=now)
    return _end(list(open_ones), now)


class Settlement(NamedTuple):
    """A call that names the reservation that was made for it."""

    reservation_id: str
    team_id: int
    mode: int
    member_id: int
    cost_nanos: int


def settle_reservations(settlements: Sequence[Settlement], now: datetime) -> dict[int, str]:
    """Replaces reserved amounts by real costs, each reservation once, also one that lapsed or was rolled back.

    Runs in the transaction that stores and charges the calls, which holds their teams' locks. Returns, by
    position, why a settlement came to nothing: there the call is charged and nothing is given back.
    """
    known = Reservation.objects.in_bulk({settlement.reservation_id for settlement in settlements})
    problems: dict[int, str] = {}
    settled: list[Reservation] = []
    for position, settlement in enumerate(settlements):
        reservation = known.get(settlement.reservation_id)
        if reservation is None or not _is_for(reservation, settlement):
            problems[position] = _("No such reservation of this member. The call was charged.")
        elif reservation.settled_nanos is not None:
            problems[position] = _("Another call has settled this reservation. This one was charged as well.")
        else:
            reservation.settled_nanos = settlement.cost_nanos
            settled.append(reservation)
    _end(settled, now)
    return problems


def _is_for(reservation: Reservation, settlement: Settlement) -> bool:
    made_for = (reservation.team_id, reservation.mode, reservation.member_id)
    return made_for == (settlement.team_id, settlement.mode, settlement.member_id)


def _end(reservations: Sequence[Reservation], now: datetime) -> int:
    """Ends them and takes those that still counted out of the sums; how many these were."""
    counting = [reservation for reservation in reservations if reservation.counts(now)]
    _add_to_sums(counting, -1)
    for reservation in reservations:
        reservation.ended_at = reservation.ended_at or now
    Reservation.objects.bulk_update(reservations, ["ended_at", "settled_nanos"], batch_size=500)
    return len(counting)


_KEYS = ("team_id", "mode", "level", "subject_id", "slot")


def _add_to_sums(reservations: Iterable[Reservation], sign: int) -> None:
    """Adds to (or, with -1, takes from) what every level has reserved.

    In one statement and sorted: the rows of a payer are written under the locks of several teams.
    """
    sums: Counter[tuple[int, ...]] = Counter()
    for reservation in reservations:
        for key in _levels(reservation):
            sums[(*key, slot_of(reservation.expires_at))] += sign * reservation.amount_nanos
    rows = [(*key, sums[key]) for key in sorted(sums)]
    add_up(ReservedSum, keys=_KEYS, added=("reserved_nanos",), replaced=(), rows=rows)


def _levels(reservation: Reservation) -> list[LevelKey]:
    team_id, mode = reservation.team_id, reservation.mode
    keys = [
        LevelKey(team_id, mode, Level.MEMBER.value, reservation.member_id),
        LevelKey(team_id, mode, Level.TEAM.value, 0),
        LevelKey(reservation.payer_id, mode, Level.OWNER.value, 0),
    ]
    if reservation.token_id:
        keys.append(LevelKey(team_id, mode, Level.TOKEN.value, reservation.token_id))
    return keys
