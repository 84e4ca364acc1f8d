"""From which day on a team's statistics follow its present time zone."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from teams.models import Team
from usage.rollups.buckets import day_of, day_start, first_whole_day
from usage.rollups.models import ClockChange
from usage.rollups.query import UsageQuery


def note_clock_change(*, team: Team, before: str, kept_since: datetime | None, now: datetime) -> None:
    """Records that days of calls from before `kept_since` stay as they were cut; None: all days were cut again.

    `before` is the team's previous time zone. Called by `logs`, which cuts days again, in its transaction.
    """
    earlier = ClockChange.objects.filter(team=team).first()
    ClockChange.objects.filter(team=team).delete()
    if kept_since is None:
        return
    # The clock of what stays. That of an earlier change, unless calls of the one since then were deleted, too.
    clock = before
    if earlier is not None:
        clock = earlier.before if earlier.kept_since == kept_since else ""
    if clock == team.time_zone:
        return
    last = day_of(kept_since - timedelta.resolution, ZoneInfo(clock or before))
    days = [first_whole_day(kept_since, team.zone), last + timedelta(days=1)]
    if earlier is not None and not clock:
        days.append(earlier.exact_from)
    ClockChange.objects.create(
        team=team, before=clock, exact_from=max(days), kept_since=kept_since, changed_at=now
    )


def exact_from(team: Team) -> date | None:
    """The first day of a team's calendar that only has data cut by its present time zone; None: all days."""
    found: date | None = ClockChange.objects.filter(team=team).values_list("exact_from", flat=True).first()
    return found


def clock_changes_of(queries: Sequence[UsageQuery], now: datetime) -> list[ClockChange]:
    """The time zone changes that a page of these ranges must mention, with their teams.

    Calls are kept for a while, so recent days are always exact, and for them nothing is read.
    """
    kept = now - timedelta(days=settings.CALL_RETENTION_DAYS)
    oldest = {query.team.pk: min(query.range.start, (query.previous or query.range).start) for query in queries}
    asked = [team_id for team_id, at in oldest.items() if at < kept]
    if not asked:
        return []
    found = ClockChange.objects.filter(team__in=asked).select_related("team")
    return [one for one in found if oldest[one.team_id] < day_start(one.exact_from, one.team.zone)]
