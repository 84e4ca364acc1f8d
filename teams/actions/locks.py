"""Row locks that actions take first: on teams, then on users, each in the order of primary keys."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from teams.errors import ConflictError
from teams.models import Team, User


def lock_teams(team_ids: Iterable[int]) -> dict[int, Team]:
    """Locks teams until the transaction ends, and returns them by primary key, without those that do not exist.

    Everybody locks in the order of primary keys, so that no two transactions wait for each other (deadlock).
    Rows are locked one by one, because Citus cannot lock rows of several shards at once. SQLite has no row
    locks: a transaction locks the whole database there.
    """
    locked = {}
    for team_id in sorted(set(team_ids)):
        team = Team.objects.select_for_update(of=("self",)).filter(pk=team_id).first()
        if team is not None:
            locked[team_id] = team
    return locked


def lock_team(team: Team) -> Team:
    """Locks a team and returns it as it is stored now. Raises ConflictError if it has been deleted."""
    locked = lock_teams([team.pk]).get(team.pk)
    if locked is None or locked.deleted_at:
        raise ConflictError(_("This team has been deleted."))
    return locked


def lock_users(user_ids: Iterable[int]) -> dict[int, User]:
    """Locks users until the transaction ends, and returns them by primary key. Lock teams before users.

    An action that makes a user a member or owner needs this lock, so that the user cannot be deactivated at the
    same time. The lock is FOR NO KEY UPDATE, which lets others write rows that refer to the user, such as
    activity.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=set(user_ids)).order_by("pk")
    return {user.pk: user for user in rows}
