"""Reservations: quota put aside before a call, so that nobody spends what somebody else was promised."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from teams.actions.locks import lock_teams
from teams.errors import ActionError, ConflictError
from teams.models import Team, User
from usage.actions.locked_levels import TeamChangedError, lock_levels
from usage.bulk import Statement, addition, insertion, run_together
from usage.levels import LevelKey, LevelState, levels_in_team, slot_of
from usage.models import Level, Reservation, ReservedSum
from usage.quotas import Subject, remembered_payer
from usage.refusals import count_refusal

# A team changes hands or zone once in a while; thrice within one reservation is nobody's doing.
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
        payer = team if team.is_personal else remembered_payer(team.owner_id)
        subject = Subject(team, payer, mode, user.pk, token_id or 0)
        try:
            with transaction.atomic():
                result = _reserve(subject, wanted, now)
        except TeamChangedError:
            remembered_payer.cache_clear()
            team = Team.objects.get(pk=team.pk)
            continue
        if isinstance(result, LevelState):
            raise InsufficientQuotaError(result)
        return result
    raise ConflictError(_("The team is changing hands at this moment. Try again."))


def _reserve(subject: Subject, wanted: Wanted, now: datetime) -> Granted | LevelState:
    """The reservation, or the level that refuses it, which the transaction counts and then commits."""
    levels = lock_levels(subject, now)
    earlier = _earlier(subject, wanted.request_id)
    if earlier is not None:
        return Granted(earlier, levels)
    for state in levels:
        if not state.covers(wanted.amount_nanos or int(wanted.is_unpriced)):
            count_refusal(subject.team, subject.mode, state, now)
            return state
    reservation = Reservation(
        team=subject.team,
        payer=subject.payer,
        mode=subject.mode,
        member_id=subject.member_id,
        token_id=subject.token_id or None,
        request_id=wanted.request_id,
        model=wanted.model,
        amount_nanos=wanted.amount_nanos,
        created_at=now,
        expires_at=now + wanted.ttl,
    )
    row = [getattr(reservation, name) for name in _COLUMNS]
    run_together([*insertion(Reservation, _COLUMNS, [row]), *_addition_to_sums([reservation], 1)])
    return Granted(reservation, [state.with_reserved(wanted.amount_nanos) for state in levels])


def _earlier(subject: Subject, request_id: str) -> Reservation | None:
    """What the same caller has reserved by this request. Raises ActionError when it was another."""
    if not request_id:
        return None
    asked = {"team": subject.team, "mode": subject.mode, "request_id": request_id}
    earlier = Reservation.objects.filter(**asked).first()
    if earlier and (earlier.member_id, earlier.token_id or 0) != (subject.member_id, subject.token_id):
        message = _("Another token or member has reserved with this request_id.")
        raise ActionError(message, field="request_id")
    return earlier


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
    run_together(list(_addition_to_sums(counting, -1)))
    for reservation in reservations:
        reservation.ended_at = reservation.ended_at or now
    Reservation.objects.bulk_update(reservations, ["ended_at", "settled_nanos"], batch_size=500)
    return len(counting)


_COLUMNS = [field.attname for field in Reservation._meta.concrete_fields]
_KEYS = ("team_id", "mode", "level", "subject_id", "slot")


def _addition_to_sums(reservations: Iterable[Reservation], sign: int) -> Iterator[Statement]:
    """Adds to (or, with -1, takes from) what every level has reserved.

    In one statement and sorted: the rows of a payer are written under the locks of several teams.
    """
    sums: Counter[tuple[int, ...]] = Counter()
    for reservation in reservations:
        for key in _levels(reservation):
            sums[(*key, slot_of(reservation.expires_at))] += sign * reservation.amount_nanos
    rows = [(*key, sums[key]) for key in sorted(sums)]
    return addition(ReservedSum, keys=_KEYS, added=("reserved_nanos",), replaced=(), rows=rows)


def _levels(reservation: Reservation) -> list[LevelKey]:
    team_id, mode = reservation.team_id, reservation.mode
    own = levels_in_team(reservation.member_id, reservation.token_id or 0)
    keys = [LevelKey(team_id, mode, level, subject) for level, subject in own]
    return [*keys, LevelKey(reservation.payer_id, mode, Level.OWNER.value, 0)]
