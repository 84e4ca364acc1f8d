"""Quotas of the fixed cast, reservations against them, calls, and the usage pages as anybody of the cast gets them."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.members import add_member
from teams.actions.teams import create_team
from teams.activity import SITE, Actor
from teams.models import Membership, Mode, Team, Token, User
from tests.conftest import Cast
from tests.usage.contexts import NOW as SUNDAY_NIGHT
from tests.usage.contexts import ZONES, new_token, report_random
from usage.prices.money import amount_nanos
from usage.quotas.actions.granting import Granted, Wanted
from usage.quotas.actions.limits import Limit, set_balance, set_member_quota, set_team_quota, set_token_quota
from usage.quotas.actions.reservations import reserve_quota
from usage.quotas.availability import Subject, levels_of, payer_of
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Period

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=20)


def nanos(usd: str) -> int:
    """Nano-dollars of an amount such as "0.50"."""
    return amount_nanos(Decimal(usd))


@pytest.fixture
def act(cast: Cast) -> Callable[..., Any]:
    """`act("owner")`: that person of the cast, acting from a known address."""
    return lambda name: Actor(cast.user(name), "198.51.100.7")


@pytest.fixture
def limit(cast: Cast) -> Callable[..., None]:
    """`limit(Level.TEAM, "10")` sets the limit of the team, of its owner's balance, of Mia or a token."""

    def set_limit(level: Level, usd: str, period: Period = Period.MONTH, token: Any = None) -> None:
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
def reserve(cast: Cast) -> Callable[..., Granted]:
    """`reserve("0.50")`: a reservation of Mia in the team, by default without a token for ten minutes."""

    def make(
        usd: str,
        *,
        team: Team | None = None,
        user: User | None = None,
        token: Any = None,
        mode: Mode = Mode.LIVE,
        now: datetime = NOW,
        **wanted: Any,
    ) -> Granted:
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
def level_of(cast: Cast) -> Callable[..., LevelState]:
    """`level_of(Level.TEAM)`: that level as it stands for Mia in the team."""

    def read(
        level: Level,
        now: datetime = NOW,
        mode: Mode = Mode.LIVE,
        token: Any = None,
        team: Team | None = None,
        user: User | None = None,
    ) -> LevelState:
        team = team or cast.team
        subject = Subject(team, payer_of(team), mode, (user or cast.member).pk, token.pk if token else 0)
        return next(state for state in levels_of(subject, now) if state.level == level)

    return read


HTMX = {"HX-Request": "true"}


@pytest.fixture
def calls(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """Live: three calls of Mia, two of Adam, one of Fay before she left. Test mode: seven of Mia."""
    now = timezone.now()
    place = Membership.objects.create(team=cast.team, user=cast.former)
    for name, mode, count, model in [
        ("member", Mode.LIVE, 3, "gpt-4o-mini"),
        ("administrator", Mode.LIVE, 2, "gpt-4o"),
        ("former", Mode.LIVE, 1, "house-model"),
        ("member", Mode.TEST, 7, "gpt-4o-mini"),
    ]:
        reported = [
            ReportedCall(
                request_id=f"{name}-{n}",
                started_at=now - timedelta(minutes=90 * n + 1),
                model=model,
                status=200 if n % 3 < 2 else 500,
                input_tokens=1000,
                output_tokens=500,
                latency_ms=800 + n,
            )
            for n in range(count)
        ]
        record_calls(reported, by=Caller(token=token_of(name, mode=mode)[0]), now=now)
    place.delete()


@pytest.fixture
def see(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`see("owner", "overview", "period=30d")`: the answer; with `headers` as htmx sends them."""

    clients: dict[str, Client] = {}  # so that signing in is not among the queries of a page

    def get(name: str, page: str = "overview", query: str = "", **headers: str) -> Any:
        url = reverse(f"usage:{page}", args=[] if page in {"me", "me-export"} else [cast.team.slug])
        if name not in clients:
            clients[name] = client_of(name)
        return clients[name].get(f"{url}?{query}", headers=headers)

    return get


def text_of(response: Any, status: int = 200) -> str:
    """The page as text, after its status was looked at."""
    assert response.status_code == status, response.content[:500]
    return response.content.decode()


@pytest.fixture
def frozen() -> Iterator[None]:
    """The clock stands still."""
    with time_machine.travel(SUNDAY_NIGHT, tick=False):
        yield


@pytest.fixture
def places(cast: Cast, frozen: None) -> dict[str, Team]:
    """Mia's contexts, each on a clock of its own: two teams and her personal space."""
    lab = create_team(by=SITE, owner=cast.owner, name="Lab")
    add_member(by=SITE, team=lab, user=cast.member)
    space = Team.objects.get(owner=cast.member, is_personal=True)
    places = {"harbour-research": cast.team, "lab": lab, "personal": space}
    for name, team in places.items():
        team.time_zone = ZONES[name]
        team.save(update_fields=["time_zone"])
    return places


@pytest.fixture
def tokens(places: dict[str, Team], cast: Cast) -> dict[str, Token]:
    """90 days of Mia's calls in each context, in both modes, and Olivia's in the teams, which are not hers."""
    rng = random.Random(3)
    tokens = {name: new_token(team, cast.member) for name, team in places.items()}
    for name, token in tokens.items():
        report_random(rng, token, f"{name}-live", 150)
    report_random(rng, new_token(places["lab"], cast.member, Mode.TEST), "test", 20)
    for name in ("harbour-research", "lab"):
        report_random(rng, new_token(places[name], cast.owner), f"{name}-other", 40)
    return tokens


@pytest.fixture
def mine(client_of: Callable[..., Client], tokens: dict[str, Token]) -> Callable[..., Any]:
    """`mine("period=7d")`: the personal page of Mia."""
    client = client_of("member")
    return lambda query="": client.get(f"{reverse('usage:me')}?{query}")
