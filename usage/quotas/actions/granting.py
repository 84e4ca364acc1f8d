"""Grants or refuses several reservation requests of one team in one transaction.

Each request is answered as if it came alone, after the ones before it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from teams.credentials import Refusal
from usage.quotas.actions.locked_levels import Locked, lock_levels
from usage.quotas.availability import Subject
from usage.quotas.levels import LevelKey, LevelState, levels_in_team, slot_of
from usage.quotas.models import Level, Reservation, ReservedSum
from usage.quotas.refusals import refusal_counts
from usage.rollups.bulk import Statement, addition, insertion, run_together


@dataclass(frozen=True)
class Wanted:
    """What to reserve: an amount, and for how long (`ttl`). `is_unpriced`: the price of the call is not known."""

    amount_nanos: int
    ttl: timedelta
    model: str = ""
    request_id: str = ""
    is_unpriced: bool = False


@dataclass(frozen=True)
class Asked:
    """A reservation request: the caller (`subject`), what to reserve, and the time of the request."""

    subject: Subject
    wanted: Wanted
    now: datetime


@dataclass(frozen=True)
class Granted:
    """A granted reservation, and the state of all quota levels, in which its amount is already reserved."""

    reservation: Reservation
    levels: list[LevelState]


# The reservation, or the first quota level that does not cover the amount, or why the caller may not make calls.
Answer = Granted | LevelState | Refusal


def grant_all(asked: Sequence[Asked]) -> list[Answer]:
    """Answers the reservation requests one after the other; each sees the reservations granted before it.

    All must be of the same team and payer. The time of the latest request counts as now for all of them,
    because the others have waited for it. A request whose `request_id` has an open reservation gets that one,
    whoever made it. If that reservation has ended, a new one is made, because the id is being used for another
    call. Raises RefusedKeyError for a deleted team, and TeamChangedError.
    """
    now = max(one.now for one in asked)
    with transaction.atomic():
        locked = lock_levels([one.subject for one in asked], now)
        turn = _Turn(locked, _earlier(asked), now)
        answers = [turn.answer(one) for one in asked]
        turn.write(now)
    return answers


@dataclass
class _Turn:
    """The answers given in one transaction; each one takes those before it into account."""

    locked: Locked
    known: dict[tuple[int, str], Reservation]  # by mode and request_id
    now: datetime
    made: list[Reservation] = field(default_factory=list)
    refused: list[tuple[Subject, LevelState]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)  # ids of ended ones, whose request_id a new one gets

    def answer(self, asked: Asked) -> Answer:
        subject, wanted = asked.subject, asked.wanted
        if subject in self.locked.refused:
            return self.locked.refused[subject]
        levels = [self.locked.levels[key] for key in subject.level_keys()]
        earlier = self.known.get((subject.mode, wanted.request_id))
        if earlier is not None and earlier.counts(self.now):
            return Granted(earlier, levels)
        for state in levels:
            if not state.covers(wanted.amount_nanos or int(wanted.is_unpriced)):
                self.refused.append((subject, state))
                return state
        return self._grant(asked, levels)

    def _grant(self, asked: Asked, levels: Sequence[LevelState]) -> Granted:
        reservation = _reservation(asked)
        self.made.append(reservation)
        if reservation.request_id:
            key = reservation.mode, reservation.request_id
            self.replaced += [self.known[key].pk] if key in self.known else []
            self.known[key] = reservation
        with_it = [state.with_reserved(reservation.amount_nanos) for state in levels]
        self.locked.levels.update(zip(asked.subject.level_keys(), with_it, strict=True))
        return Granted(reservation, with_it)

    def write(self, now: datetime) -> None:
        """Stores the granted reservations, the reserved sums, and the number of refusals by each level."""
        if self.replaced:
            Reservation.objects.filter(pk__in=self.replaced).update(request_id="")
        rows = [[getattr(reservation, name) for name in _COLUMNS] for reservation in self.made]
        run_together(
            [
                *insertion(Reservation, _COLUMNS, rows),
                *addition_to_sums(self.made, 1),
                *refusal_counts([(subject.team, subject.mode, state) for subject, state in self.refused], now),
            ]
        )


_COLUMNS = [field.attname for field in Reservation._meta.concrete_fields]


def _reservation(asked: Asked) -> Reservation:
    subject, wanted = asked.subject, asked.wanted
    return Reservation(
        team=subject.team,
        payer=subject.payer,
        mode=subject.mode,
        member_id=subject.member_id,
        token_id=subject.token_id or None,
        request_id=wanted.request_id,
        model=wanted.model,
        amount_nanos=wanted.amount_nanos,
        created_at=asked.now,
        expires_at=asked.now + wanted.ttl,
    )


def _earlier(asked: Sequence[Asked]) -> dict[tuple[int, str], Reservation]:
    """Returns existing reservations with the `request_id` of one of these requests, by mode and `request_id`."""
    request_ids = {one.wanted.request_id for one in asked if one.wanted.request_id}
    if not request_ids:
        return {}
    found = Reservation.objects.filter(team=asked[0].subject.team, request_id__in=request_ids)
    return {(reservation.mode, reservation.request_id): reservation for reservation in found}


_KEYS = ("team_id", "mode", "level", "subject_id", "slot")


def addition_to_sums(reservations: Iterable[Reservation], sign: int) -> Iterator[Statement]:
    """Yields the SQL statements that add the reservations to `ReservedSum`, or subtract them if `sign` is -1.

    They write the rows in the order of their keys, to prevent deadlocks: transactions for different teams can
    write the same rows of a payer. The statements are not executed.
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
