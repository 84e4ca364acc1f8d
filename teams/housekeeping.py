"""What time alone brings about in `teams`; the command `housekeeping` calls it every day or oftener."""

from datetime import datetime

from teams.actions.teams import purge_teams
from teams.actions.transfers import lapse_transfers


def keep_house(*, now: datetime) -> dict[str, int]:
    """Lapses old offers and purges teams whose 30 days are over; how many of each."""
    return {"transfers lapsed": lapse_transfers(now=now), "teams purged": purge_teams(now=now)}
