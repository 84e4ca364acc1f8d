"""The part of the command `housekeeping` that concerns the tables of `teams`."""

from datetime import datetime

from teams.actions.teams import purge_teams
from teams.actions.transfers import lapse_transfers


def run_housekeeping(*, now: datetime) -> dict[str, int]:
    """Closes expired offers of ownership, and erases teams that were deleted more than 30 days ago.

    Returns the number of each by a label for the command's output.
    """
    return {"transfers lapsed": lapse_transfers(now=now), "teams purged": purge_teams(now=now)}
