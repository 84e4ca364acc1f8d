"""Signals by which `teams` informs `usage` and `logs` about changes, because it must not import them.

An action sends a signal inside its transaction: if a receiver raises an exception, the action is undone.
"""

from django.dispatch import Signal

# Sent with user: User, by: Actor or None for the site, verified: bool, after a user was saved. The receiver in
# `teams.actions.users` creates the personal space and writes the activity.
user_created = Signal()

# Sent with space: Team, after a personal space was created. The receiver in `usage` sets the default balance.
personal_space_created = Signal()

# Sent with team: Team (with the new time zone), before: str (the old one). Receivers rebucket the statistics.
time_zone_changed = Signal()

# Sent with team: Team, user: User, after a member left or was removed. Rolls back their open reservations.
member_left = Signal()

# Sent with team_id: int, before a deleted team is erased. Receivers delete its calls, rollups and quota use.
team_purged = Signal()
