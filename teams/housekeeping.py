"""Periodic housekeeping of `teams`."""

from datetime import datetime

from teams.actions.teams import purge_teams
from teams.actions.transfers import lapse_transfers


def run_housekeeping(*, now: datetime) -> dict[str, int]:
    """Closes expired offers and purges teams deleted more than 30 days ago; returns how many of each."""
    return {"transfers lapsed": lapse_transfers(now=now), "teams purged": purge_teams(now=now)}
