"""Quotas of the fixed cast, and reservations against them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from teams.activity import SITE, Actor
from teams.models import Mode
from usage.actions.granting import Granted, Wanted
from usage.actions.quotas import Limit, set_balance, set_member_quota, set_team_quota, set_token_quota
from usage.actions.reservations import reserve_quota
from usage.models import Level, Period
from usage.money import amount_nanos
from usage.quotas import LevelState, Subject, levels_of, payer_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=20)


def nanos(usd: str) -> int:
    """Nano-dollars of an amount such as "0.50"."""
    return amount_nanos(Decimal(usd))


@pytest.fixture
def act(cast):
    """`act("owner")`: that person of the cast, acting from a known address."""
    return lambda name: Actor(cast.user(name), "198.51.100.7")


@pytest.fixture
def limit(cast):
    """`limit(Level.TEAM, "10")` sets the limit of the team, of its owner's balance, of Mia or a token."""

    def set_limit(level: Level, usd: str, period: Period = Period.MONTH, token=None) -> None:
        wanted = Limit(Decimal(usd), Period(period))
        if level == Level.TOKEN:
            set_token_quota(by=SITE, token=token, limit=wanted, now=NOW)
        elif level == Level.MEMBER:
            set_member_quota(by=SITE, team=cast.team, user=cast.member, limit=wanted, now=NOW)
        elif level == Level.TEAM:
            set_team_quota(by=SITE, team=cast.team, limit=wanted, now=NOW)
        else:
            set_balance(by=SITE, space=payer_of(cast.team), limit=wanted, now=NOW)

    return set_limit


@pytest.fixture
def reserve(cast):
    """`reserve("0.50")`: a reservation of Mia in the team, by default without a token for ten minutes."""

    def make(usd: str, *, team=None, user=None, token=None, mode=Mode.LIVE, now=NOW, **wanted) -> Granted:
        return reserve_quota(
            team=team or cast.team,
            mode=token.mode if token else mode,
            user=user or (token.user if token else cast.member),
            token_id=token.pk if token else None,
            wanted=Wanted(nanos(usd), **{"ttl": timedelta(minutes=10), **wanted}),
            now=now,
        )

    return make


@pytest.fixture
def level_of(cast):
    """`level_of(Level.TEAM)`: that level as it stands for Mia in the team."""

    def read(level: Level, now=NOW, mode=Mode.LIVE, token=None, team=None, user=None) -> LevelState:
        team = team or cast.team
        subject = Subject(team, payer_of(team), mode, (user or cast.member).pk, token.pk if token else 0)
        return next(state for state in levels_of(subject, now) if state.level == level)

    return read
