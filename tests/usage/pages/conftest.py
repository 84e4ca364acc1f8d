"""A team with calls, and its usage pages as anybody of the cast gets them."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from logs.callers import Caller
from logs.record import record_calls
from logs.reported import ReportedCall
from teams.actions.members import add_member
from teams.actions.teams import create_team
from teams.activity import SITE
from teams.models import Membership, Mode, Team, Token
from tests.usage.pages.contexts import NOW, ZONES, new_token, report_random

HTMX = {"HX-Request": "true"}


@pytest.fixture
def calls(cast, token_of) -> None:
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
def see(cast, client_of) -> Callable[..., Any]:
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
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def places(cast, frozen) -> dict[str, Team]:
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
def tokens(places, cast) -> dict[str, Token]:
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
def mine(client_of, tokens) -> Callable[..., Any]:
    """`mine("period=7d")`: the personal page of Mia."""
    client = client_of("member")
    return lambda query="": client.get(f"{reverse('usage:me')}?{query}")
