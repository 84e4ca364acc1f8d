"""Row locks that actions take first: teams, then users, each in the order of their ids."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from teams.errors import ConflictError
from teams.models import Team, User


def lock_teams(team_ids: Iterable[int]) -> dict[int, Team]:
    """Locks teams until the transaction ends and returns them by id.

    All writers lock in the order of ids, so that no two wait for each other (deadlock). Rows are locked one
    by one, because Citus cannot lock rows of several shards at once. On SQLite the transaction is the lock.
    """
    locked = {}
    for team_id in sorted(set(team_ids)):
        team = Team.objects.select_for_update(of=("self",)).filter(pk=team_id).first()
        if team is not None:
            locked[team_id] = team
    return locked


def lock_team(team: Team) -> Team:
    """Locks a team and reads it again. Raises ConflictError if it was deleted meanwhile."""
    locked = lock_teams([team.pk]).get(team.pk)
    if locked is None or locked.deleted_at:
        raise ConflictError(_("This team has been deleted."))
    return locked


def lock_users(user_ids: Iterable[int]) -> dict[int, User]:
    """Locks users until the transaction ends and returns them by id; teams must be locked before.

    Needed where a user becomes a member or owner, so that they cannot be deactivated at the same time.
    The lock is FOR NO KEY UPDATE, so that activity rows, which refer to users, can be written meanwhile.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=set(user_ids)).order_by("pk")
    return {user.pk: user for user in rows}
