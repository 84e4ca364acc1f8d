"""What time alone brings about in the whole site; by the command `housekeeping`, and by `serve` itself."""

from datetime import datetime

from logs.retention import delete_old_calls
from teams.housekeeping import keep_house
from usage.housekeeping import delete_old_messages


def keep_all_house(*, now: datetime) -> dict[str, int]:
    """How many of each were deleted, purged or lapsed. Running it oftener, or two at once, does no harm."""
    return keep_house(now=now) | {
        "calls deleted": delete_old_calls(now=now),
        "messages deleted": delete_old_messages(now=now),
    }
