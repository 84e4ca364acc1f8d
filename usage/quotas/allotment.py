"""Computes how much quota a team has given to its members, in comparison with the team's own limit."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from teams.access import Access, may_limit
from teams.models import Membership, Mode
from usage.quotas.availability import Subject, levels_of, member_levels, payer_of
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Period
from usage.quotas.periods import span_at


@dataclass(frozen=True)
class MemberLine:
    """A member, limit and use of their member quota, and whether the user who views the page may change it."""

    membership: Membership
    state: LevelState
    may_limit: bool


@dataclass(frozen=True)
class Allotment:
    """The quotas of a team and of its members. Amounts in nano-dollars.

    `period` is the period of the team's limit, or a month if it has no limit. `allotted_nanos` is the sum of
    the members' limits, converted to that period. Limits that never reset are summed in `once_nanos` instead.
    `unlimited` is the number of members without a limit.
    """

    team: LevelState | None  # None for a personal space, which has no team level
    balance: LevelState
    lines: list[MemberLine]
    period: Period
    allotted_nanos: int
    once_nanos: int
    unlimited: int

    @property
    def over_nanos(self) -> int:
        """Returns by how much the sum of the members' limits exceeds the team's limit; 0 without a team limit."""
        if self.team is None or self.team.limit_nanos is None:
            return 0
        allotted = self.once_nanos if self.period == Period.NONE else self.allotted_nanos
        return max(0, allotted - self.team.limit_nanos)


def allotment(access: Access, mode: Mode, now: datetime) -> Allotment:
    """Reads the quotas of a team and of all its members, with four SQL statements."""
    team = access.team
    members = list(
        Membership.objects.filter(team=team).select_related("user").order_by("user__name", "user__email")
    )
    states = member_levels(team, mode, [member.user_id for member in members], now)
    levels = {state.level: state for state in levels_of(Subject(team, payer_of(team), mode), now)}
    lines = [
        MemberLine(member, states[member.user_id], may_limit(access.role, member.role)) for member in members
    ]
    own = levels.get(Level.TEAM)
    period = own.period if own and own.limit_nanos is not None else Period.MONTH
    limited = [line.state for line in lines if line.state.limit_nanos is not None]
    return Allotment(
        team=own,
        balance=levels[Level.OWNER],
        lines=lines,
        period=period,
        allotted_nanos=sum(_for_period(state, period, team.zone, now) for state in limited),
        once_nanos=sum(state.limit_nanos or 0 for state in limited if state.period == Period.NONE),
        unlimited=len(lines) - len(limited),
    )


def _for_period(state: LevelState, period: Period, zone: ZoneInfo, now: datetime) -> int:
    """Converts a limit to another period, in nano-dollars: in November, a weekly limit times 30/7 for a month.

    Returns 0 if either period is one that never resets.
    """
    if Period.NONE in {state.period, period}:
        return 0
    share = Fraction(_days(period, zone, now), _days(state.period, zone, now))
    return int((state.limit_nanos or 0) * share)


def _days(period: Period, zone: ZoneInfo, now: datetime) -> int:
    span = span_at(period, now, zone)
    assert span.first is not None
    assert span.end is not None
    return (span.end - span.first).days
