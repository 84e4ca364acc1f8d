"""Moves a team's statistics and quota use to the hours and days of a new time zone, by counting its stored
calls again.

A stored sum of a day may contain two kinds of calls: calls that are still stored, and calls that were deleted,
whose sums stay as they were counted. So the stored calls are subtracted by the days of the old time zone and
added by those of the new one: every call stays counted once, wherever the days of the two zones meet. Only the
first days need that; later days consist of stored calls alone, and are written anew.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from logs.integrity.recount import (
    USE_KEYS,
    Key,
    Recount,
    Sums,
    paid_on,
    rebuild_owner,
    rebuild_team,
    recount_on,
)
from logs.recording.kept_calls import balance_kept_since, kept_since
from teams.actions.locks import lock_teams
from teams.models import Mode, Team
from usage.quotas.models import Level, QuotaUse
from usage.rollups.buckets import day_start, first_day_anywhere
from usage.rollups.bulk import add_up, fetch_by_keys
from usage.rollups.cache import stamp_past
from usage.rollups.folding import COUNTERS, SKETCHES
from usage.rollups.models import ROLLUPS, Counters
from usage.rollups.sketch import merged, without


@transaction.atomic
def rebucket_team(team: Team, before: ZoneInfo) -> None:
    """Counts the stored calls of a team again by its present time zone; `before` is the old one.

    The team is locked meanwhile.
    """
    lock_teams([team.pk])
    since = kept_since(team)
    if since is None:
        rebuild_team(team)
        return
    for mode in Mode:
        _take_out(team, mode, before, since)
        _count(team, mode, recount_on(team.zone, team, mode, since), sign=1)
        stamp_past(team_id=team.pk, mode=mode)


def _take_out(team: Team, mode: Mode, clock: ZoneInfo, since: datetime) -> None:
    """Removes the calls from `since` on from the stored sums, whose days are those of the time zone `clock`.

    Rows that consist of these calls alone are deleted; from the rows of earlier days the calls are subtracted.
    """
    day = first_day_anywhere(since)
    after = day_start(day, clock)
    for table in ROLLUPS:
        from_: dict[str, Any] = {"hour__gte": after} if "hour" in table.DIMENSIONS else {"day__gte": day}
        from_ |= {"team_id": team.pk, "mode": mode}
        table._default_manager.filter(**from_).delete()
    uses = QuotaUse.objects.filter(team_id=team.pk, mode=mode, day__gte=day)
    uses.exclude(level=Level.OWNER).delete()
    _count(team, mode, recount_on(clock, team, mode, since, after), sign=-1)


def _count(team: Team, mode: Mode, found: Recount, *, sign: int) -> None:
    """Adds the recounted calls to the stored sums (`sign` 1) or subtracts them (-1)."""
    for rollup, rows in found.rollups.items():
        _count_rollup(rollup, team, mode, rows, sign)
    _count_uses(team, mode, found.uses, sign)


def _count_rollup(rollup: type[Counters], team: Team, mode: Mode, rows: dict[Key, Sums], sign: int) -> None:
    space = {"team_id": team.pk, "mode": mode.value}
    keys = sorted(rows)
    found = fetch_by_keys(rollup, fixed=space, keys=rollup.DIMENSIONS, wanted=keys, columns=SKETCHES)
    stored = {row[:-2]: [bytes(sketch) for sketch in row[-2:]] for row in found}
    combined = (lambda one, other: merged([one, other])) if sign > 0 else without

    def row(key: Key) -> tuple[Any, ...]:
        counters, sketches = rows[key].counters * sign, rows[key].row()[len(COUNTERS) :]
        if key in stored:
            sketches = tuple(map(combined, stored[key], sketches))
        return (*space.values(), *key, *counters.tolist(), *sketches)

    add_up(
        rollup,
        keys=[*space, *rollup.DIMENSIONS],
        added=COUNTERS,
        replaced=SKETCHES,
        rows=[row(key) for key in keys],
    )
    if keys and sign < 0:  # the first part of each key is its time
        time = {f"{rollup.DIMENSIONS[0]}__range": (keys[0][0], keys[-1][0])}
        rollup._default_manager.filter(**space, **time, calls=0).delete()


def _count_uses(team: Team, mode: Mode, uses: dict[Key, list[int]], sign: int) -> None:
    """Adds recounted calls to the quota use (`sign` 1) or subtracts them (-1). `uses` is by (level, subject,
    day).
    """
    rows = [(team.pk, mode.value, *key, *(sign * one for one in uses[key])) for key in sorted(uses)]
    add_up(QuotaUse, keys=USE_KEYS, added=["calls", "used_nanos"], replaced=[], rows=rows)
    if rows and sign < 0:
        days = [day for _level, _subject, day in uses]
        within = {"team_id": team.pk, "mode": mode, "day__range": (min(days), max(days))}
        QuotaUse.objects.filter(**within, calls=0).delete()


@transaction.atomic
def rebucket_owner(space: Team, before: ZoneInfo) -> None:
    """Charges the stored calls again to an owner's balance, by the present time zone of the owner's personal
    space; `before` is the old one.

    The owner's teams are locked meanwhile, see `rebuild_owner`.
    """
    lock_teams(Team.objects.filter(owner=space.owner_id).values_list("pk", flat=True))
    since = balance_kept_since()
    if since is None:
        rebuild_owner(space)
        return
    day = first_day_anywhere(since)
    for mode in Mode:
        taken = paid_on(before, space, mode, since, day_start(day, before))
        QuotaUse.objects.filter(team_id=space.pk, mode=mode, level=Level.OWNER, day__gte=day).delete()
        for days, sign in ((taken, -1), (paid_on(space.zone, space, mode, since), 1)):
            _count_uses(space, mode, {(Level.OWNER.value, 0, one): sums for one, sums in days.items()}, sign)
