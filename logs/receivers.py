"""What `logs` does when something happens in `teams`, in the same transaction."""

from typing import Any

from django.dispatch import receiver

from logs.recount import rebuild_owner, rebuild_team
from teams.models import Team
from teams.signals import time_zone_changed


@receiver(time_zone_changed)
def cut_again(*, team: Team, **_signal: Any) -> None:
    """Counts the calls of a team again by the days and hours of its new clock.

    Only the calls know when they began: no sum by the old clock's days can be cut into the new one's.
    """
    rebuild_team(team)
    if team.is_personal:
        rebuild_owner(team)
