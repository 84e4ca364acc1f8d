"""Records from which day on a team's statistics follow its current time zone.

When a team changes its time zone, its days are recounted from the stored calls. Days whose calls were already
deleted cannot be recounted, so they keep the boundaries of the earlier time zone.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from teams.models import Team
from usage.rollups.buckets import day_of, day_start, first_whole_day
from usage.rollups.models import ClockChange
from usage.rollups.query import UsageQuery


def note_clock_change(*, team: Team, before: str, kept_since: datetime | None, now: datetime) -> None:
    """Records that a team's older days keep the boundaries of an earlier time zone after the team changed its
    zone.

    `before` is the previous time zone. `kept_since` is the time since which calls are stored, or None if no
    call was deleted. With None, all days were recounted, and an earlier record is removed. `logs` calls this in
    the transaction that recounts the days.
    """
    earlier = ClockChange.objects.filter(team=team).first()
    ClockChange.objects.filter(team=team).delete()
    if kept_since is None:
        return
    # The zone of the days that stay: after an earlier change, that change's; "" if calls were deleted since then.
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
    """Returns the first day since which a team's statistics follow its current time zone; None if all days do."""
    found: date | None = ClockChange.objects.filter(team=team).values_list("exact_from", flat=True).first()
    return found


def clock_changes_of(queries: Sequence[UsageQuery], now: datetime) -> list[ClockChange]:
    """Returns the recorded time zone changes, with their teams, that a page about these queries must mention.

    Runs no SQL statement for queries about the time of which all calls are stored, because such days always
    follow the current time zone.
    """
    kept = now - timedelta(days=settings.CALL_RETENTION_DAYS)
    oldest = {query.team.pk: min(query.range.start, (query.previous or query.range).start) for query in queries}
    asked = [team_id for team_id, at in oldest.items() if at < kept]
    if not asked:
        return []
    found = ClockChange.objects.filter(team__in=asked).select_related("team")
    return [one for one in found if oldest[one.team_id] < day_start(one.exact_from, one.team.zone)]
