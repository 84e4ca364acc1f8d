"""Receivers of the signals of `teams`. They run in the transaction of the change that sent the signal."""

from typing import Any
from zoneinfo import ZoneInfo

from django.dispatch import receiver
from django.utils import timezone

from logs.integrity.rebucket import rebucket_owner, rebucket_team
from logs.models import Call, CallLayer, CallRoute, CallTag, KeptCalls
from logs.recording.kept_calls import kept_since
from teams.models import Team
from teams.signals import team_purged, time_zone_changed
from usage.rollups.clock import note_clock_change


@receiver(time_zone_changed)
def rebucket(*, team: Team, before: str, **_signal: Any) -> None:
    """Recounts a team's statistics by the hours and days of its new time zone.

    Sums per day of the old time zone cannot be split into days of the new one; only single calls have exact
    times.
    """
    old = ZoneInfo(before)
    rebucket_team(team, old)
    note_clock_change(team=team, before=before, kept_since=kept_since(team), now=timezone.now())
    if team.is_personal:
        rebucket_owner(team, old)


@receiver(team_purged)
def delete_calls(*, team_id: int, **_signal: Any) -> None:
    """Deletes all calls, tags, routes and layers of a purged team."""
    for records in (Call, CallTag, CallRoute, CallLayer):
        records._default_manager.filter(team_id=team_id).delete()
    # The charges to its owners' balances stay, so a recount of balances must know that calls are missing.
    KeptCalls.objects.update_or_create(team_id=team_id, defaults={"since": timezone.now()})
