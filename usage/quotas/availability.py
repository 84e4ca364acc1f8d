"""How much quota is left: limit, use and reservations of every level, for one subject or many.

Reads only. A handful of queries, however many subjects there are.
"""

import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from teams.models import Membership, Team
from usage.quotas.levels import LevelKey, LevelState, states_of
from usage.quotas.models import Level


@dataclass(frozen=True)
class Subject:
    """Whose quota it is: a token's, a member's, or (both 0) a team's. `payer` is the owner's personal space."""

    team: Team
    payer: Team
    mode: int
    member_id: int = 0
    token_id: int = 0

    def level_keys(self) -> list[LevelKey]:
        """The levels in the order in which they are checked.

        A personal space's own quota is its owner's balance, and its only member is that owner, so it has two
        levels.
        """
        keys = []
        if self.token_id:
            keys.append(LevelKey(self.team.pk, self.mode, Level.TOKEN.value, self.token_id))
        if not self.team.is_personal:
            if self.member_id:
                keys.append(LevelKey(self.team.pk, self.mode, Level.MEMBER.value, self.member_id))
            keys.append(LevelKey(self.team.pk, self.mode, Level.TEAM.value, 0))
        return [*keys, LevelKey(self.payer.pk, self.mode, Level.OWNER.value, 0)]

    @property
    def zones(self) -> dict[int, ZoneInfo]:
        """The zones of team and payer, by their ids."""
        return {team.pk: team.zone for team in (self.team, self.payer)}


def levels_of(subject: Subject, now: datetime) -> list[LevelState]:
    """All levels of one subject, in the order in which they are checked."""
    return levels_of_many([subject], now)[0]


def levels_of_many(subjects: Sequence[Subject], now: datetime) -> list[list[LevelState]]:
    """The levels of each subject, in one query."""
    zones = {team_id: zone for subject in subjects for team_id, zone in subject.zones.items()}
    asked = [subject.level_keys() for subject in subjects]
    states = states_of((key for keys in asked for key in keys), zones, now)
    return [[states[key] for key in keys] for keys in asked]


def member_levels(team: Team, mode: int, user_ids: Collection[int], now: datetime) -> dict[int, LevelState]:
    """The member level of many members, by user id; for the ranking and the members page."""
    keys = {user_id: LevelKey(team.pk, mode, Level.MEMBER.value, user_id) for user_id in user_ids}
    states = states_of(keys.values(), {team.pk: team.zone}, now)
    return {user_id: states[key] for user_id, key in keys.items()}


def token_levels(team: Team, mode: int, token_ids: Collection[int], now: datetime) -> dict[int, LevelState]:
    """The token level of many tokens, by token id."""
    keys = {token_id: LevelKey(team.pk, mode, Level.TOKEN.value, token_id) for token_id in token_ids}
    states = states_of(keys.values(), {team.pk: team.zone}, now)
    return {token_id: states[key] for token_id, key in keys.items()}


def balance_levels(spaces: Collection[Team], mode: int, now: datetime) -> dict[int, LevelState]:
    """The balances of the owners of many personal spaces, by the space's id."""
    keys = {space.pk: LevelKey(space.pk, mode, Level.OWNER.value, 0) for space in spaces}
    states = states_of(keys.values(), {space.pk: space.zone for space in spaces}, now)
    return {space_id: states[key] for space_id, key in keys.items()}


def binding_level(levels: Iterable[LevelState]) -> LevelState | None:
    """The level with the least available, the first of several; None if nothing is limited."""
    limited = [state for state in levels if state.available_nanos is not None]
    return min(limited, key=lambda state: state.available_nanos or 0, default=None)


def payer_of(team: Team) -> Team:
    """The personal space whose balance pays for a team: its owner's; a personal space pays for itself."""
    return team if team.is_personal else payers_of([team])[team.pk]


@functools.lru_cache(maxsize=10_000)
def remembered_payer(owner_id: int) -> Team:
    """The personal space of an owner as this process once read it, which saves every reservation a query.

    Only for `usage.quotas.actions.reservations`, which checks under the lock that it is still valid.
    """
    return Team.objects.get(is_personal=True, owner=owner_id)


def payers_of(teams: Collection[Team]) -> dict[int, Team]:
    """The personal space that pays, by the id of each team."""
    by_owner = {team.owner_id: team for team in teams if team.is_personal}
    if others := {team.owner_id for team in teams} - by_owner.keys():
        spaces = Team.objects.filter(is_personal=True, owner__in=others)
        by_owner |= {space.owner_id: space for space in spaces}
    return {team.pk: by_owner[team.owner_id] for team in teams}


@dataclass(frozen=True)
class ContextLevels:
    """A user's membership in one context, and the levels of quota that apply there."""

    membership: Membership
    levels: list[LevelState]

    @property
    def team(self) -> Team:
        return self.membership.team

    @property
    def binding(self) -> LevelState | None:
        return binding_level(self.levels)


def contexts_of(memberships: Sequence[Membership], mode: int, now: datetime) -> list[ContextLevels]:
    """The levels of each of a user's memberships, with their teams loaded: two queries."""
    payers = payers_of([membership.team for membership in memberships])
    subjects = [
        Subject(membership.team, payers[membership.team_id], mode, membership.user_id)
        for membership in memberships
    ]
    return [
        ContextLevels(membership, levels)
        for membership, levels in zip(memberships, levels_of_many(subjects, now), strict=True)
    ]
