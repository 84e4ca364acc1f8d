"""Tells since when the single calls of a team are stored: older calls were deleted, their statistics remain."""

import functools
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from logs.models import KeptCalls
from teams.compiled_queries import CompiledQuery
from teams.models import Team
from usage.rollups.buckets import first_day_anywhere, first_whole_day
from usage.rollups.clock import exact_from
from usage.rollups.query import UsageQuery

# Calls younger than this are never deleted: the shortest retention is a day, and clocks may differ.
_NEVER_DELETED: Final = timedelta(hours=12)


def kept_since(team: Team) -> datetime | None:
    """Returns the time since when the team's single calls are stored; None if no call was ever deleted."""
    found: KeptCalls | None = _kept().find(team.pk)
    return found.since if found else None


def kept_within(query: UsageQuery) -> datetime | None:
    """Returns the time since when single calls are stored, if the range of `query` begins earlier.

    None: all calls of the range are stored.
    """
    since = kept_since(query.team)
    return since if since is not None and query.range.start < since else None


def taken_since(calls: Iterable[tuple[int, datetime]], now: datetime) -> dict[int, datetime]:
    """Returns, by team id, the time before which new reports must be rejected.

    Older calls may have been recorded and then deleted, so a report could count one twice. `calls` are the
    (team id, start time) of calls to be recorded; their teams must be locked. Only teams with a call older than
    12 hours in `calls` and with deleted calls are in the result; if all calls are recent, no query is executed.
    """
    old = {team_id for team_id, started_at in calls if started_at < now - _NEVER_DELETED}
    return dict(KeptCalls.objects.filter(team_id__in=old).values_list("team_id", "since")) if old else {}


@functools.cache
def _kept() -> CompiledQuery:
    return CompiledQuery(lambda team_id: KeptCalls.objects.filter(team_id=team_id), [-1])


def kept_from(team: Team) -> date | None:
    """Returns the first day of the team's calendar from which on all calls in the statistics are stored.

    None: all days. If the team's time zone was changed, days of the former time zone may reach beyond the last
    deleted call, so the result may be later.
    """
    since = kept_since(team)
    if since is None:
        return None
    return max(first_whole_day(since, team.zone), exact_from(team) or date.min)


def balance_kept_since() -> datetime | None:
    """Returns the time since when the calls of every team are stored; None if no call was ever deleted.

    Calls of any team may be charged to a balance, so balances can be recounted only from this time on.
    """
    since: datetime | None = KeptCalls.objects.order_by("-since").values_list("since", flat=True).first()
    return since


def balance_kept_from() -> date | None:
    """Returns the first day from which on balances can be recounted in every time zone; None: all days.

    All calls that any team charged to a balance on or after that day are stored.
    """
    since = balance_kept_since()
    return since and first_day_anywhere(since)
