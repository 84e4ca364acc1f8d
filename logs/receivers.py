"""Reactions of `logs` to signals of `teams`, in the same transaction."""

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
    """Counts the calls of a team again by the days and hours of its new clock.

    Only the calls know when they began: no sum by the old clock's days can be cut into the new one's.
    """
    old = ZoneInfo(before)
    rebucket_team(team, old)
    note_clock_change(team=team, before=before, kept_since=kept_since(team), now=timezone.now())
    if team.is_personal:
        rebucket_owner(team, old)


@receiver(team_purged)
def delete_calls(*, team_id: int, **_signal: Any) -> None:
    """Deletes the calls of a purged team."""
    for records in (Call, CallTag, CallRoute, CallLayer):
        records._default_manager.filter(team_id=team_id).delete()
    # What its owners' balances paid stays, so a recount of these must know that calls are missing.
    KeptCalls.objects.update_or_create(team_id=team_id, defaults={"since": timezone.now()})
