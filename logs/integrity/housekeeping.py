"""Deletes expired data of the whole site; run regularly by the command `housekeeping` and by `serve`."""

from datetime import datetime

from logs.integrity.retention import delete_old_calls, delete_old_layers
from teams import housekeeping as of_teams
from usage import housekeeping as of_usage


def run_all_housekeeping(*, now: datetime) -> dict[str, int]:
    """Deletes all data that has expired; returns what was done, as a number for each kind of data.

    Running it more often, or twice at once, does no harm.
    """
    done = of_teams.run_housekeeping(now=now) | {"calls deleted": delete_old_calls(now=now)}
    done["reports of calls forgotten"] = delete_old_layers(now=now)
    return done | of_usage.run_housekeeping(now=now)
