"""What time alone brings about in the whole site; by the command `housekeeping`, and by `serve` itself."""

from datetime import datetime

from logs.integrity.retention import delete_old_calls
from teams import housekeeping as of_teams
from usage import housekeeping as of_usage


def keep_all_house(*, now: datetime) -> dict[str, int]:
    """How many of each were deleted, purged or lapsed. Running it oftener, or two at once, does no harm."""
    done = of_teams.keep_house(now=now) | {"calls deleted": delete_old_calls(now=now)}
    return done | of_usage.keep_house(now=now)
