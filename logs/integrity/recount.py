"""Computes statistics and quota use again from the calls, to verify and to repair them.

A recount reads every stored call of a team once and folds it into sums with the same code that recording uses.
The sums are compared with the stored ones row by row and number by number; sketches are compared byte by byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction
from django.db.models import QuerySet

from logs.models import Call
from logs.recording.facts import LocalTimes, fact_of
from logs.recording.ids import first_id
from logs.recording.kept_calls import balance_kept_from
from teams.actions.locks import lock_teams
from teams.models import Mode, Team
from usage.quotas.levels import levels_in_team
from usage.quotas.models import Level, QuotaUse
from usage.rollups.buckets import day_start
from usage.rollups.bulk import add_up
from usage.rollups.cache import stamp_past
from usage.rollups.folding import COUNTERS, SKETCHES, Fact, fold
from usage.rollups.models import ROLLUPS, Counters
from usage.rollups.sketch import Ints, merged

_BATCH: Final = 20_000
_FACT_FIELDS: Final = Fact._fields[Fact._fields.index("outcome") :]
Key = tuple[Any, ...]


@dataclass
class Sums:
    """The recounted numbers of one row of a rollup."""

    counters: Ints
    sketches: tuple[list[bytes], list[bytes]] = field(default_factory=lambda: ([], []))

    def row(self) -> tuple[Any, ...]:
        """Returns the values that COUNTERS and SKETCHES should have in the stored row."""
        return (*self.counters.tolist(), *(merged(some) if some else b"" for some in self.sketches))


@dataclass
class Recount:
    """The recounted sums of the calls of one team and mode.

    `uses` has the quota use by (level, subject, day), as [number of calls, cost in nano-dollars]. `owner_uses`
    has the use of owners' balances in the same form.
    """

    rollups: dict[type[Counters], dict[Key, Sums]]
    uses: dict[Key, list[int]] = field(default_factory=dict)
    owner_uses: dict[tuple[int, date], list[int]] = field(default_factory=dict)  # by payer and their day
    calls: int = 0


@dataclass(frozen=True)
class Difference:
    """A stored number that differs from the recounted one."""

    table: str
    team: str
    mode: str
    key: str
    column: str
    stored: object
    recounted: object

    def __str__(self) -> str:
        where = f"{self.table} {self.team} {self.mode} {self.key}"
        return f"{where}: {self.column} is {self.stored}, the calls add up to {self.recounted}"


def recount(team: Team, mode: int, since: date | None = None) -> Recount:
    """Reads the team's calls from the day `since` on (None: all) and returns their sums."""
    return recount_on(team.zone, team, mode, day_start(since, team.zone) if since else None)


def recount_on(
    clock: ZoneInfo, team: Team, mode: int, start: datetime | None = None, end: datetime | None = None
) -> Recount:
    """Returns the sums of the team's calls that began in [start, end), by the hours and days of the time zone
    `clock`.
    """
    found = Recount({rollup: {} for rollup in ROLLUPS})
    local = LocalTimes(clock)
    payer_times: dict[int, LocalTimes] = {}
    for calls in _batches(team, mode, start, end):
        found.calls += len(calls)
        for folded in fold([fact_of(call, local) for call in calls]):
            rows = found.rollups[folded.rollup]
            for index, key in enumerate(folded.keys):
                sums = rows.setdefault(key, Sums(np.zeros(len(COUNTERS), dtype=np.int64)))
                sums.counters += folded.counters[index]
                for kept, column in zip(sums.sketches, folded.sketches, strict=True):
                    kept.append(column[index])
        for call in calls:
            _charge(found, call, local, payer_times)
    return found


def _batches(team: Team, mode: int, start: datetime | None, end: datetime | None) -> Iterator[list[Call]]:
    """Yields the calls in batches, in the order of the primary key."""
    wanted = Call.objects.filter(team_id=team.pk, mode=mode).order_by("id")
    if end:
        wanted = wanted.filter(id__lt=first_id(end))
    more = wanted.filter(id__gte=first_id(start)) if start else wanted
    while batch := list(more.only(*_COLUMNS)[:_BATCH]):
        yield batch
        more = wanted.filter(id__gt=batch[-1].id)


_COLUMNS = ["started_at", "member_id", "token_id", "payer_id", "model", "outcome", "priced_by"] + [
    name for name in _FACT_FIELDS if name not in {"outcome", "unpriced"}
]


def _charge(found: Recount, call: Call, local: LocalTimes, payers: dict[int, LocalTimes]) -> None:
    day = local(call.started_at)[1]
    for level, subject in levels_in_team(call.member_id, call.token_id):
        _add(found.uses.setdefault((level, subject, day), [0, 0]), call)
    if call.payer_id not in payers:
        payers[call.payer_id] = LocalTimes(Team.objects.get(owner=call.payer_id, is_personal=True).zone)
    payer_day = payers[call.payer_id](call.started_at)[1]
    _add(found.owner_uses.setdefault((call.payer_id, payer_day), [0, 0]), call)


def _add(sums: list[int], call: Call) -> None:
    sums[0] += 1
    sums[1] += call.cost_nanos


# --- Comparing ----------------------------------------------------------------------------------


def differences(team: Team, mode: Mode, found: Recount, since: date | None = None) -> Iterator[Difference]:
    """Yields every stored number of the team that differs from the recount; owners' balances are not compared."""
    for rollup, rows in found.rollups.items():
        recounted = {key: sums.row() for key, sums in rows.items()}
        stored = _stored(rollup, team, mode, rollup.DIMENSIONS, [*COUNTERS, *SKETCHES], since)
        yield from _compared(rollup.__name__, team, mode, [*COUNTERS, *SKETCHES], stored, recounted)
    uses = {key: tuple(sums) for key, sums in found.uses.items()}
    columns = ["calls", "used_nanos"]
    stored = _stored(QuotaUse, team, mode, ("level", "subject_id", "day"), columns, since)
    kept = {key: row for key, row in stored.items() if key[0] != Level.OWNER}
    yield from _compared("QuotaUse", team, mode, columns, kept, uses)


def owner_differences(
    mode: Mode, owner_uses: dict[tuple[int, date], list[int]], first: date
) -> Iterator[Difference]:
    """Yields the differences of all owners' balances from the day `first` on.

    `owner_uses` must combine the recounts of all teams.
    """
    for space in Team.objects.filter(is_personal=True).order_by("pk"):
        columns = ["calls", "used_nanos"]
        rows = _balance(space, mode, first).values_list("day", *columns)
        stored = {(day,): tuple(row) for day, *row in rows}
        recounted = {
            (day,): tuple(sums)
            for (payer, day), sums in owner_uses.items()
            if payer == space.owner_id and day >= first
        }
        yield from _compared("QuotaUse of the owner", space, mode, columns, stored, recounted)


def _balance(space: Team, mode: Mode, first: date) -> QuerySet[QuotaUse]:
    """Returns the quota use of an owner's balance from a day on."""
    return QuotaUse.objects.filter(team_id=space.pk, mode=mode, level=Level.OWNER, day__gte=first)


def _stored(
    table: Any, team: Team, mode: int, keys: tuple[str, ...], columns: list[str], since: date | None
) -> dict[Key, tuple[Any, ...]]:
    rows = table.objects.filter(team_id=team.pk, mode=mode)
    if since:
        rows = (
            rows.filter(hour__gte=day_start(since, team.zone))
            if "hour" in keys
            else rows.filter(day__gte=since)
        )
    return {
        row[: len(keys)]: tuple(_plain(value) for value in row[len(keys) :])
        for row in rows.values_list(*keys, *columns)
    }


def _plain(value: Any) -> Any:
    """Converts binary columns, which PostgreSQL returns as memoryviews, to bytes."""
    return bytes(value) if isinstance(value, memoryview) else value


def _compared(
    table: str,
    team: Team,
    mode: Mode,
    columns: list[str],
    stored: dict[Key, tuple[Any, ...]],
    recounted: dict[Key, tuple[Any, ...]],
) -> Iterator[Difference]:
    nothing = tuple(b"" if name in SKETCHES else 0 for name in columns)
    for key in sorted({*stored, *recounted}, key=str):
        is_, should = stored.get(key, nothing), recounted.get(key, nothing)
        for column, one, other in zip(columns, is_, should, strict=True):
            if one != other:
                shown = ", ".join(map(str, key))
                yield Difference(table, team.slug, mode.word, shown, column, _brief(one), _brief(other))


def _brief(value: object) -> object:
    return f"a sketch of {len(value)} bytes" if isinstance(value, bytes) else value


# --- Repairing ----------------------------------------------------------------------------------


@transaction.atomic
def rebuild_team(team: Team, since: date | None = None) -> int:
    """Rewrites the team's statistics and quota use from its calls; returns the number of calls.

    The team is locked meanwhile: reported calls wait, and none is lost or counted twice.
    """
    lock_teams([team.pk])
    calls = 0
    for mode in Mode:
        found = recount(team, mode, since)
        calls += found.calls
        for rollup, rows in found.rollups.items():
            _replace_rollup(rollup, team, mode, rows, since)
        _replace_uses(team, mode, found.uses, since)
        stamp_past(team_id=team.pk, mode=mode)
    return calls


def _replace_rollup(
    rollup: type[Counters], team: Team, mode: Mode, rows: dict[Key, Sums], since: date | None
) -> None:
    old: dict[str, Any] = {"team_id": team.pk, "mode": mode}
    if since:
        is_hourly = "hour" in rollup.DIMENSIONS
        old |= {"hour__gte": day_start(since, team.zone)} if is_hourly else {"day__gte": since}
    rollup._default_manager.filter(**old).delete()
    add_up(
        rollup,
        keys=["team_id", "mode", *rollup.DIMENSIONS],
        added=COUNTERS,
        replaced=SKETCHES,
        rows=[(team.pk, mode.value, *key, *rows[key].row()) for key in sorted(rows)],
    )


USE_KEYS = ["team_id", "mode", "level", "subject_id", "day"]


def _replace_uses(team: Team, mode: Mode, uses: dict[Key, list[int]], since: date | None) -> None:
    stored = QuotaUse.objects.filter(team_id=team.pk, mode=mode).exclude(level=Level.OWNER)
    (stored.filter(day__gte=since) if since else stored).delete()
    rows = [(team.pk, mode.value, *key, *uses[key]) for key in sorted(uses)]
    add_up(QuotaUse, keys=USE_KEYS, added=["calls", "used_nanos"], replaced=[], rows=rows)


@transaction.atomic
def rebuild_owner(space: Team) -> None:
    """Rewrites the use of the balance of a personal space's owner, from the calls of all teams that charged it.

    The owner's teams are locked meanwhile: recording charges the balance under the lock of the calls' team, so
    a call recorded between the count and the write would be lost or charged twice.
    """
    lock_teams(Team.objects.filter(owner=space.owner_id).values_list("pk", flat=True))
    first = balance_kept_from()
    for mode in Mode:
        _balance(space, mode, first or date.min).delete()
        days = paid_on(space.zone, space, mode, day_start(first, space.zone) if first else None)
        rows = [(space.pk, mode.value, Level.OWNER.value, 0, day, *days[day]) for day in sorted(days)]
        add_up(QuotaUse, keys=USE_KEYS, added=["calls", "used_nanos"], replaced=[], rows=rows)


def paid_on(
    clock: ZoneInfo, space: Team, mode: int, start: datetime | None = None, end: datetime | None = None
) -> dict[date, list[int]]:
    """Returns what the owner of a personal space paid for calls that began in [start, end), by day in the time
    zone `clock`.

    Each day has [number of calls, cost in nano-dollars].
    """
    local = LocalTimes(clock)
    days: dict[date, list[int]] = {}
    calls = Call.objects.filter(payer_id=space.owner_id, mode=mode).order_by()
    if start:
        calls = calls.filter(started_at__gte=start)
    if end:
        calls = calls.filter(started_at__lt=end)
    for call in calls.only("started_at", "cost_nanos").iterator(_BATCH):
        _add(days.setdefault(local(call.started_at)[1], [0, 0]), call)
    return days
