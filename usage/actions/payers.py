"""The locks under which quota is reserved: the team and, because its owner's balance is asked too, the payer.

All reservations that any level could count twice wait for each other here, one after the other. Settling and
rolling back need the team's lock alone: they only move what one statement reads at one moment.
"""

from django.db import connection

from teams.credentials import Refusal, RefusedKeyError
from teams.models import Team

# In SQL, because the ORM takes longer to say this than the database to do it, and all of it under locks.
_TEAMS = "SELECT * FROM teams_team WHERE id = %s OR (is_personal AND owner_id = %s) ORDER BY id"


class PayerChangedError(Exception):
    """The team has another owner than was thought, so somebody else pays. Try again."""


def lock_payer(team: Team) -> tuple[Team, Team]:
    """The team and the personal space that pays for it, fresh, locked in the order of their ids as by
    `lock_teams`, but in one query: others wait for as long as this takes.

    Raises RefusedKeyError when the team was deleted, PayerChangedError.
    """
    statement = _TEAMS + (" FOR UPDATE" if connection.features.has_select_for_update else "")
    rows = {row.pk: row for row in Team.objects.raw(statement, [team.pk, team.owner_id])}
    fresh = rows.get(team.pk)
    if fresh is None or fresh.deleted_at:
        raise RefusedKeyError(Refusal.DELETED)
    if fresh.owner_id != team.owner_id:
        raise PayerChangedError
    return fresh, next(row for row in rows.values() if row.is_personal)
