"""From when on a team's days are those of its present clock."""

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


def clock_change_of(query: UsageQuery, now: datetime) -> ClockChange | None:
    """The change of clock that a page of this range must tell of.

    Calls are kept for a while, so recent days are always exact, and it is not even asked for.
    """
    oldest = min(query.range.start, query.previous.start if query.previous else query.range.start)
    if oldest >= now - timedelta(days=settings.CALL_RETENTION_DAYS):
        return None
    change = ClockChange.objects.filter(team=query.team).first()
    return change if change and oldest < day_start(change.exact_from, query.zone) else None
