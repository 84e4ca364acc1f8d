"""From when on a team's days are those of its present clock."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.conf import settings

from teams.models import Team
from usage.buckets import day_start
from usage.models import ClockChange
from usage.query import UsageQuery


def note_clock_change(*, team: Team, before: str, exact_from: date | None, now: datetime) -> None:
    """Keeps that days before `exact_from` are cut by the clock `before`; None: all days were cut again.

    For `logs`, which cuts them again, in its transaction.
    """
    ClockChange.objects.filter(team=team).delete()
    if exact_from is not None:
        ClockChange.objects.create(team=team, before=before, exact_from=exact_from, changed_at=now)


def clock_changes_of(queries: Sequence[UsageQuery], now: datetime) -> list[ClockChange]:
    """The changes of clock that a page of these ranges must tell of, with their teams.

    Calls are kept for a while, so recent days are always exact, and it is not even asked for.
    """
    kept = now - timedelta(days=settings.CALL_RETENTION_DAYS)
    oldest = {query.team.pk: min(query.range.start, (query.previous or query.range).start) for query in queries}
    asked = [team_id for team_id, at in oldest.items() if at < kept]
    if not asked:
        return []
    found = ClockChange.objects.filter(team__in=asked).select_related("team")
    return [one for one in found if oldest[one.team_id] < day_start(one.exact_from, one.team.zone)]
