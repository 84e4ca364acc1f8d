"""The locks that every change takes first: teams, then users, each in the order of their ids."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from teams.errors import ConflictError
from teams.models import Team, User


def lock_teams(team_ids: Iterable[int]) -> dict[int, Team]:
    """The team rows, locked until the transaction ends, in the order of their ids.

    One order for all writers is what keeps two of them from waiting for each other for ever. Locks one
    by one, because Citus refuses a lock over several shards. On SQLite the transaction itself is the lock.
    """
    locked = {}
    for team_id in sorted(set(team_ids)):
        team = Team.objects.select_for_update(of=("self",)).filter(pk=team_id).first()
        if team is not None:
            locked[team_id] = team
    return locked


def lock_team(team: Team) -> Team:
    """The team row, locked and fresh. Raises ConflictError when it was deleted meanwhile."""
    locked = lock_teams([team.pk]).get(team.pk)
    if locked is None or locked.deleted_at:
        raise ConflictError(_("This team has been deleted."))
    return locked


def lock_users(user_ids: Iterable[int]) -> dict[int, User]:
    """The user rows, locked until the transaction ends. After the teams, never before.

    Taken where somebody gains a place (membership, ownership), so that it cannot cross a deactivation.
    NO KEY, because every activity row refers to users, and shall not wait.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=set(user_ids)).order_by("pk")
    return {user.pk: user for user in rows}
