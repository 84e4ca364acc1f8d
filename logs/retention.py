"""How long single calls are kept. Statistics and quota use stay when their calls go."""

import functools
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import partial
from time import monotonic, sleep
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from logs.ids import first_id
from logs.models import Call, CallTag, KeptCalls
from teams.actions.locks import lock_teams
from teams.compiled import CompiledQuery
from teams.models import Team
from usage.buckets import day_of, day_start, first_day_anywhere, first_whole_day
from usage.clock import exact_from
from usage.query import UsageQuery

# How long one statement deletes, and how many calls at least, at first, and at most.
_STEP_SECONDS: Final = 0.1
_FEWEST, _FIRST_STEP, _MOST = 50, 500, 5_000
_LONGEST_PAUSE: Final = 0.5
# The shortest retention is a day; the rest is for clocks that differ.
_NEVER_DELETED: Final = timedelta(hours=12)


def delete_old_calls(*, now: datetime) -> int:
    """Deletes the calls that are past the site's retention, team by team, in small steps; how many.

    Whole days of each team's calendar go, so that what is left can still be compared with the statistics.
    """
    return sum(_delete_of(team, now) for team in Team.objects.order_by("pk"))


def _delete_of(team: Team, now: datetime) -> int:
    since = day_start(day_of(now - timedelta(days=settings.CALL_RETENTION_DAYS), team.zone), team.zone)
    old = Call.objects.filter(team_id=team.pk, id__lt=first_id(since)).order_by("id")

    def delete_first(most: int) -> int:
        ids = list(old.values_list("id", flat=True)[:most])
        return Call.objects.filter(team_id=team.pk, id__lte=ids[-1]).delete()[0] if ids else 0

    deleted = 0
    if old.exists():
        _keep_from(team, since)
        deleted = _in_steps(delete_first)
    _delete_tags(team, first_id(since))
    return deleted


@transaction.atomic
def _keep_from(team: Team, since: datetime) -> None:
    """Notes that older calls go now; never less than was noted before, by a shorter retention or another clock.

    Under the team's lock: who records has it, and does not take again what goes meanwhile.
    """
    lock_teams([team.pk])
    before = kept_since(team)
    if before is None or before < since:
        KeptCalls.objects.update_or_create(team_id=team.pk, defaults={"since": since})


def _delete_tags(team: Team, since: UUID) -> None:
    """Takes the tags of deleted calls out of their index: after them, so that a stop in between leaves no gap."""
    old = CallTag.objects.filter(team_id=team.pk, id__lt=since)
    for mode, tag in list(old.values_list("mode", "tag").distinct()):
        _in_steps(partial(_delete_first_tags, old.filter(mode=mode, tag=tag)))


def _delete_first_tags(old: QuerySet[CallTag], most: int) -> int:
    ids = list(old.order_by("id").values_list("id", flat=True)[:most])
    return old.filter(id__lte=ids[-1]).delete()[0] if ids else 0


def _in_steps(delete_first: Callable[[int], int]) -> int:
    """Deletes so many at a time as take about _STEP_SECONDS, until none are left; how many.

    While it deletes, writers of the same team wait, with SQLite all writers; so each step is followed by
    as long a pause.
    """
    deleted, most = 0, _FIRST_STEP
    while True:
        began = monotonic()
        step = delete_first(most)
        if not step:
            return deleted
        deleted += step
        took = monotonic() - began
        sleep(min(took, _LONGEST_PAUSE))
        most = min(_MOST, max(_FEWEST, int(most * min(2.0, _STEP_SECONDS / max(took, 0.001)))))


def kept_since(team: Team) -> datetime | None:
    """From when on single calls are kept; None: none was ever deleted."""
    found: KeptCalls | None = _kept().find(team.pk)
    return found.since if found else None


def kept_within(query: UsageQuery) -> datetime | None:
    """From when on single calls are kept, if the range begins before; None: all of its calls are."""
    since = kept_since(query.team)
    return since if since is not None and query.range.start < since else None


def taken_since(calls: Iterable[tuple[int, datetime]], now: datetime) -> dict[int, datetime]:
    """From when on calls of a team may be recorded, by team: older ones may have been, and deleted since.

    `calls` are about to be: their teams, which must be locked, and when they began. Teams without such calls,
    or of which none was ever deleted, are left out; while all calls are recent, nothing is asked.
    """
    old = {team_id for team_id, started_at in calls if started_at < now - _NEVER_DELETED}
    return dict(KeptCalls.objects.filter(team_id__in=old).values_list("team_id", "since")) if old else {}


@functools.cache
def _kept() -> CompiledQuery:
    return CompiledQuery(lambda team_id: KeptCalls.objects.filter(team_id=team_id), [-1])


def kept_from(team: Team) -> date | None:
    """The first day of the team's calendar from which on its statistics are of kept calls alone; None: all are.

    Where the team had another clock before, days of that one may reach beyond the last call that was deleted.
    """
    since = kept_since(team)
    if since is None:
        return None
    return max(first_whole_day(since, team.zone), exact_from(team) or date.min)


def balance_kept_since() -> datetime | None:
    """From when on the calls of all teams are kept, so all that are charged to any balance; None: since ever."""
    since: datetime | None = KeptCalls.objects.order_by("-since").values_list("since", flat=True).first()
    return since


def balance_kept_from() -> date | None:
    """The first day on which all calls that any team charged to a balance are kept, whatever clocks it had."""
    since = balance_kept_since()
    return since and first_day_anywhere(since)
