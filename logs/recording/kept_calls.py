"""Since when the calls of a team are stored: older ones were deleted, their statistics stayed."""

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

# The shortest retention is a day; the rest is for clocks that differ.
_NEVER_DELETED: Final = timedelta(hours=12)


def kept_since(team: Team) -> datetime | None:
    """Since when single calls are stored; None: none was ever deleted."""
    found: KeptCalls | None = _kept().find(team.pk)
    return found.since if found else None


def kept_within(query: UsageQuery) -> datetime | None:
    """Since when single calls are stored, if the range begins before; None: all of its calls are stored."""
    since = kept_since(query.team)
    return since if since is not None and query.range.start < since else None


def taken_since(calls: Iterable[tuple[int, datetime]], now: datetime) -> dict[int, datetime]:
    """Since when calls of a team may be recorded, by team: older ones may have been recorded before and deleted
    since.

    `calls` are about to be recorded: their teams, which must be locked, and their start times. Teams without
    such old calls, or of which none was ever deleted, are left out; if all calls are recent, nothing is read.
    """
    old = {team_id for team_id, started_at in calls if started_at < now - _NEVER_DELETED}
    return dict(KeptCalls.objects.filter(team_id__in=old).values_list("team_id", "since")) if old else {}


@functools.cache
def _kept() -> CompiledQuery:
    return CompiledQuery(lambda team_id: KeptCalls.objects.filter(team_id=team_id), [-1])


def kept_from(team: Team) -> date | None:
    """The first day of the team's calendar from which on its statistics consist of stored calls alone; None:
    all days.

    If the team had another time zone before, days of that one may reach beyond the last deleted call.
    """
    since = kept_since(team)
    if since is None:
        return None
    return max(first_whole_day(since, team.zone), exact_from(team) or date.min)


def balance_kept_since() -> datetime | None:
    """Since when the calls of all teams are stored, so all calls that are charged to any balance; None: always."""
    since: datetime | None = KeptCalls.objects.order_by("-since").values_list("since", flat=True).first()
    return since


def balance_kept_from() -> date | None:
    """The first day on which all calls that any team charged to a balance are stored, in every time zone it
    had.
    """
    since = balance_kept_since()
    return since and first_day_anywhere(since)
