"""How much may still be called: limit, use and reservations of every level, for one subject or many.

Reads only. A handful of queries however many subjects are asked for.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from teams.models import Membership, Team, User
from usage.amounts import Amounts, Days, LevelKey, amounts_of
from usage.models import Level, Period, Quota
from usage.periods import Span, span_at

# What the use of a level without a limit is told for.
UNLIMITED_PERIOD = Period.MONTH


@dataclass(frozen=True)
class Subject:
    """Whose quota: a token's, a member's, or (both 0) a team's. `payer` is the owner's personal space."""

    team: Team
    payer: Team
    mode: int
    member_id: int = 0
    token_id: int = 0

    def keys(self) -> list[LevelKey]:
        """The levels in the order in which they are asked.

        A personal space's own quota is its owner's balance, and its only member is that owner: two levels.
        """
        keys = []
        if self.token_id:
            keys.append(LevelKey(self.team.pk, self.mode, Level.TOKEN.value, self.token_id))
        if not self.team.is_personal:
            if self.member_id:
                keys.append(LevelKey(self.team.pk, self.mode, Level.MEMBER.value, self.member_id))
            keys.append(LevelKey(self.team.pk, self.mode, Level.TEAM.value, 0))
        return [*keys, LevelKey(self.payer.pk, self.mode, Level.OWNER.value, 0)]


@dataclass(frozen=True)
class LevelState:
    """One level at a moment. Amounts in nano-dollars; `limit_nanos` None is no limit."""

    level: Level
    team_id: int  # at level OWNER the personal space of the owner who pays
    subject_id: int  # the token, the member, or 0
    limit_nanos: int | None
    used_nanos: int
    reserved_nanos: int
    period: Period
    starts_at: datetime | None  # None: counts all use there ever was
    resets_at: datetime | None  # None: never

    @property
    def available_nanos(self) -> int | None:
        """What can still be reserved, never negative; None is unlimited."""
        if self.limit_nanos is None:
            return None
        return max(0, self.limit_nanos - self.used_nanos - self.reserved_nanos)

    @property
    def used_share(self) -> float | None:
        """Used of the limit, 0 to 1 and above; a limit of nothing is used up. None without a limit."""
        if self.limit_nanos is None:
            return None
        return self.used_nanos / self.limit_nanos if self.limit_nanos else 1.0

    def covers(self, nanos: int) -> bool:
        """Whether `nanos` can be reserved on top of what is used and reserved."""
        return self.available_nanos is None or nanos <= self.available_nanos

    def with_reserved(self, nanos: int) -> "LevelState":
        """The same level once `nanos` more are reserved."""
        return replace(self, reserved_nanos=self.reserved_nanos + nanos)


def levels_of(subject: Subject, now: datetime) -> list[LevelState]:
    """All levels of one subject, in the order in which they are asked."""
    return levels_of_many([subject], now)[0]


def levels_of_many(subjects: Sequence[Subject], now: datetime) -> list[list[LevelState]]:
    """The levels of each subject: two queries for all of them together."""
    zones = {team.pk: team.zone for subject in subjects for team in (subject.team, subject.payer)}
    asked = [subject.keys() for subject in subjects]
    states = _states({key for keys in asked for key in keys}, zones, now)
    return [[states[key] for key in keys] for keys in asked]


def member_levels(team: Team, mode: int, user_ids: Collection[int], now: datetime) -> dict[int, LevelState]:
    """The member level of many members, by user id; for the ranking and the members page."""
    keys = {user_id: LevelKey(team.pk, mode, Level.MEMBER.value, user_id) for user_id in user_ids}
    states = _states(keys.values(), {team.pk: team.zone}, now)
    return {user_id: states[key] for user_id, key in keys.items()}


def token_levels(team: Team, mode: int, token_ids: Collection[int], now: datetime) -> dict[int, LevelState]:
    """The token level of many tokens, by token id."""
    keys = {token_id: LevelKey(team.pk, mode, Level.TOKEN.value, token_id) for token_id in token_ids}
    states = _states(keys.values(), {team.pk: team.zone}, now)
    return {token_id: states[key] for token_id, key in keys.items()}


def binding_level(levels: Iterable[LevelState]) -> LevelState | None:
    """The level with the least available, the first of several; None when nothing is limited."""
    limited = [state for state in levels if state.available_nanos is not None]
    return min(limited, key=lambda state: state.available_nanos or 0, default=None)


def payer_of(team: Team) -> Team:
    """The personal space whose balance pays for a team: its owner's; a personal space pays for itself."""
    return team if team.is_personal else payers_of([team])[team.pk]


def payers_of(teams: Collection[Team]) -> dict[int, Team]:
    """The personal space that pays, by the id of each team."""
    spaces = Team.objects.filter(is_personal=True, owner__in={team.owner_id for team in teams})
    by_owner = {space.owner_id: space for space in spaces}
    return {team.pk: by_owner[team.owner_id] for team in teams}


@dataclass(frozen=True)
class ContextLevels:
    """A user's place in one context, and the levels of quota that hold for them there."""

    membership: Membership
    levels: list[LevelState]

    @property
    def team(self) -> Team:
        return self.membership.team

    @property
    def binding(self) -> LevelState | None:
        return binding_level(self.levels)


def contexts_of(user: User, mode: int, now: datetime) -> list[ContextLevels]:
    """Every context a user can call in, the personal space first: four queries."""
    memberships = list(
        Membership.objects.filter(user=user, team__deleted_at=None)
        .select_related("team")
        .order_by("-team__is_personal", "team__name", "team")
    )
    payers = payers_of([membership.team for membership in memberships])
    subjects = [
        Subject(membership.team, payers[membership.team_id], mode, user.pk) for membership in memberships
    ]
    return [
        ContextLevels(membership, levels)
        for membership, levels in zip(memberships, levels_of_many(subjects, now), strict=True)
    ]


def _states(
    keys: Collection[LevelKey], zones: dict[int, ZoneInfo], now: datetime
) -> dict[LevelKey, LevelState]:
    quotas = _quotas(keys)
    spans: dict[LevelKey, Span] = {}
    for key in keys:
        quota = quotas.get(key)
        spans[key] = span_at(quota.period if quota else UNLIMITED_PERIOD, now, zones[key.team_id])
    amounts = amounts_of({key: Days(span.first, span.end) for key, span in spans.items()}, now)
    return {key: _state(key, quotas.get(key), spans[key], amounts[key]) for key in keys}


def _state(key: LevelKey, quota: Quota | None, span: Span, amounts: Amounts) -> LevelState:
    return LevelState(
        level=Level(key.level),
        team_id=key.team_id,
        subject_id=key.subject_id,
        limit_nanos=quota.limit_nanos if quota else None,
        used_nanos=amounts.used,
        reserved_nanos=amounts.reserved,
        period=Period(quota.period) if quota else UNLIMITED_PERIOD,
        starts_at=span.starts_at,
        resets_at=span.resets_at,
    )


def _quotas(keys: Collection[LevelKey]) -> dict[LevelKey, Quota]:
    """The limits that are set at these levels."""
    of_level: dict[int, list[LevelKey]] = {}
    for key in keys:
        of_level.setdefault(key.level, []).append(key)
    wanted = Q(pk__in=[])
    for level, some in of_level.items():
        teams, subjects = {key.team_id for key in some}, {key.subject_id for key in some}
        if level == Level.TOKEN:
            wanted |= Q(token__in=subjects)
        elif level == Level.MEMBER:
            wanted |= Q(team__in=teams, membership__user__in=subjects)
        else:
            wanted |= Q(team__in=teams, membership=None, token=None)
    found = {
        (quota.team_id, quota.token_id, quota.membership and quota.membership.user_id): quota
        for quota in Quota.objects.filter(wanted).select_related("membership")
    }
    quotas = {}
    for key in keys:
        token = key.subject_id if key.level == Level.TOKEN else None
        member = key.subject_id if key.level == Level.MEMBER else None
        quota = found.get((key.team_id, token, member))
        if quota:
            quotas[key] = quota
    return quotas
