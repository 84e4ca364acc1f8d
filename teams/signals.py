"""What happens in `teams` that `usage` and `logs` must follow, sent inside the transaction of the action.

`teams` knows nothing of the two; a receiver that raises undoes the action.
"""

from django.dispatch import Signal

# team: Team (the new zone is set), before: str (the old zone).
# The days and hours of its statistics must be cut again.
time_zone_changed = Signal()

# team: Team, user: User. Somebody left, was removed; their open reservations roll back.
member_left = Signal()

# team_id: int. A deleted team goes for good; its records go with it.
team_purged = Signal()

# space: Team. A new user has got their personal space; it may get a balance.
personal_space_created = Signal()
