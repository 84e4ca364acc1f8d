"""Signals that inform `usage` and `logs` about changes in `teams`, which does not import them.

An action sends a signal inside its transaction: if a receiver raises an exception, the action is undone.
"""

from django.dispatch import Signal

# user: User, by: Actor or None for the site, verified: bool. A user was saved; `teams.actions.users` gives them a
# personal space and writes the activity.
user_created = Signal()

# space: Team. A new user has got a personal space; `usage` gives it a balance.
personal_space_created = Signal()

# team: Team (with the new time zone), before: str (the old one). Its statistics are moved to the new days and hours.
time_zone_changed = Signal()

# team: Team, user: User. A member left or was removed; their open reservations are rolled back.
member_left = Signal()

# team_id: int. A deleted team is erased; calls, rollups and quotas are deleted with it.
team_purged = Signal()
