"""Reads how much quota is left: limit, use and reservations of each quota level that applies to a call.

A few SQL statements are enough for many tokens, members or teams together.
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
    """The token, member or team for which quota is checked or reserved.

    With `token_id` it is a token, else with `member_id` a member, else the team. `payer` is the personal space
    of the team's owner, whose balance pays.
    """

    team: Team
    payer: Team
    mode: int
    member_id: int = 0
    token_id: int = 0

    def level_keys(self) -> list[LevelKey]:
        """Returns the keys of the quota levels that apply, in the order in which they are checked.

        A personal space has no member level, because its only member is its owner, and no team level, because
        its own limit is the owner's balance.
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
        """Returns the time zones of the team and the payer, by their ids."""
        return {team.pk: team.zone for team in (self.team, self.payer)}


def levels_of(subject: Subject, now: datetime) -> list[LevelState]:
    """Returns the state of all quota levels that apply to one subject, in the order in which they are checked."""
    return levels_of_many([subject], now)[0]


def levels_of_many(subjects: Sequence[Subject], now: datetime) -> list[list[LevelState]]:
    """Returns the states of the quota levels of each subject. Runs one SQL statement."""
    zones = {team_id: zone for subject in subjects for team_id, zone in subject.zones.items()}
    asked = [subject.level_keys() for subject in subjects]
    states = states_of((key for keys in asked for key in keys), zones, now)
    return [[states[key] for key in keys] for keys in asked]


def member_levels(team: Team, mode: int, user_ids: Collection[int], now: datetime) -> dict[int, LevelState]:
    """Returns the state of the member level of many members of a team, by user id."""
    keys = {user_id: LevelKey(team.pk, mode, Level.MEMBER.value, user_id) for user_id in user_ids}
    states = states_of(keys.values(), {team.pk: team.zone}, now)
    return {user_id: states[key] for user_id, key in keys.items()}


def token_levels(team: Team, mode: int, token_ids: Collection[int], now: datetime) -> dict[int, LevelState]:
    """Returns the state of the token level of many tokens of a team, by token id."""
    keys = {token_id: LevelKey(team.pk, mode, Level.TOKEN.value, token_id) for token_id in token_ids}
    states = states_of(keys.values(), {team.pk: team.zone}, now)
    return {token_id: states[key] for token_id, key in keys.items()}


def balance_levels(spaces: Collection[Team], mode: int, now: datetime) -> dict[int, LevelState]:
    """Returns the state of the owner's balance of many personal spaces, by the space's id."""
    keys = {space.pk: LevelKey(space.pk, mode, Level.OWNER.value, 0) for space in spaces}
    states = states_of(keys.values(), {space.pk: space.zone for space in spaces}, now)
    return {space_id: states[key] for space_id, key in keys.items()}


def binding_level(levels: Iterable[LevelState]) -> LevelState | None:
    """Returns the level with the least quota available, the first of several; None if no level has a limit."""
    limited = [state for state in levels if state.available_nanos is not None]
    return min(limited, key=lambda state: state.available_nanos or 0, default=None)


def payer_of(team: Team) -> Team:
    """Returns the personal space whose balance pays for a team: that of its owner.

    A personal space pays for itself.
    """
    return team if team.is_personal else payers_of([team])[team.pk]


@functools.lru_cache(maxsize=10_000)
def remembered_payer(owner_id: int) -> Team:
    """Returns an owner's personal space, cached in this process, which saves a query for each reservation.

    Only for `usage.quotas.actions.reservations`, which checks under the lock that the cached row is still
    correct.
    """
    return Team.objects.get(is_personal=True, owner=owner_id)


def payers_of(teams: Collection[Team]) -> dict[int, Team]:
    """Returns the personal spaces that pay for several teams, by team id."""
    by_owner = {team.owner_id: team for team in teams if team.is_personal}
    if others := {team.owner_id for team in teams} - by_owner.keys():
        spaces = Team.objects.filter(is_personal=True, owner__in=others)
        by_owner |= {space.owner_id: space for space in spaces}
    return {team.pk: by_owner[team.owner_id] for team in teams}


@dataclass(frozen=True)
class ContextLevels:
    """One of a user's memberships, and the quota levels that apply to the user's calls in that team."""

    membership: Membership
    levels: list[LevelState]

    @property
    def team(self) -> Team:
        return self.membership.team

    @property
    def binding(self) -> LevelState | None:
        return binding_level(self.levels)


def contexts_of(memberships: Sequence[Membership], mode: int, now: datetime) -> list[ContextLevels]:
    """Returns the quota levels for each of a user's memberships, whose teams must be loaded.

    Runs one SQL statement, and another one if other owners pay.
    """
    payers = payers_of([membership.team for membership in memberships])
    subjects = [
        Subject(membership.team, payers[membership.team_id], mode, membership.user_id)
        for membership in memberships
    ]
    return [
        ContextLevels(membership, levels)
        for membership, levels in zip(memberships, levels_of_many(subjects, now), strict=True)
    ]
