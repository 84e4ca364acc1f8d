"""The locks under which quota is reserved: the team and, because its owner's balance is asked too, the payer.

All reservations that any level could count twice wait for each other here, one after the other. Settling and
rolling back need the team's lock alone: they only move what one statement reads at one moment.
"""

from teams.actions.locks import lock_teams
from teams.credentials import Refusal, RefusedKeyError
from teams.models import Team


class PayerChangedError(Exception):
    """The team was passed on between looking up its payer and locking both. Try again."""


def payer_id_of(team: Team) -> int:
    """The id of the personal space of the team's owner."""
    if team.is_personal:
        return team.pk
    return Team.objects.values_list("pk", flat=True).get(is_personal=True, owner__owned_teams=team)


def lock_payer(team_id: int, payer_id: int) -> tuple[Team, Team]:
    """The team and its payer, locked in the order of their ids.

    Raises RefusedKeyError when the team was deleted, PayerChangedError when somebody else pays now.
    """
    locked = lock_teams({team_id, payer_id})
    team = locked.get(team_id)
    if team is None or team.deleted_at:
        raise RefusedKeyError(Refusal.DELETED)
    if locked[payer_id].owner_id != team.owner_id:
        raise PayerChangedError
    return team, locked[payer_id]
