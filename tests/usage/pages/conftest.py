"""A team with calls, and its usage pages as anybody of the cast gets them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from logs.callers import Caller
from logs.record import record_calls
from logs.reported import ReportedCall
from teams.models import Membership, Mode

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
        url = reverse(f"usage:{page}", args=[] if page == "me" else [cast.team.slug])
        if name not in clients:
            clients[name] = client_of(name)
        return clients[name].get(f"{url}?{query}", headers=headers)

    return get


def text_of(response: Any, status: int = 200) -> str:
    """The page as text, after its status was looked at."""
    assert response.status_code == status, response.content[:500]
    return response.content.decode()
