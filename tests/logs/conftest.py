"""Keys and records to report with, over HTTP as senders do; calls of the cast to look for."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models.keys import Token
from tests.conftest import Cast

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def record(request_id: str = "r1", **fields: Any) -> dict[str, Any]:
    """A record of Callboard's own format, five minutes old."""
    started_at = (timezone.now() - timedelta(minutes=5)).isoformat()
    return {
        "request_id": request_id,
        "started_at": started_at,
        "model": "gpt-4o-mini",
        "latency_ms": 800,
        "input_tokens": 1000,
        "output_tokens": 500,
        **fields,
    }


@pytest.fixture
def post(client: Client) -> Callable[..., Any]:
    """`post(secret, body)`: to /api/v1/calls, as JSON unless it is bytes, with any header changed."""

    def send(secret: str | None, body: Any, content_type: str = "application/json", **more: Any) -> Any:
        return report(client, "/api/v1/calls", secret, body, content_type, **more)

    return send


def report(
    client: Client,
    path: str,
    secret: str | None,
    body: Any,
    content_type: str = "application/json",
    **more: Any,
) -> Any:
    """The answer to a POST with this key."""
    headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers |= {"Content-Type": content_type, **more.pop("headers", {})}
    # Given as a header as well, because Django's client leaves it out when there is no body.
    return client.generic("POST", path, data, content_type=content_type, headers=headers, **more)


@pytest.fixture
def mia(token_of: Callable[..., tuple[Token, str]]) -> str:
    """The secret of a live token of Mia, who is a member."""
    return token_of("member")[1]


@pytest.fixture
def team_key(cast: Cast) -> str:
    """The secret of a gateway key of the team."""
    return create_gateway_key(by=SITE, team=cast.team, name="proxy")[1]


@pytest.fixture
def site_key(db: None) -> str:
    """The secret of a gateway key of the whole site."""
    return create_gateway_key(by=SITE, team=None, name="site")[1]


@pytest.fixture
def now() -> Iterator[datetime]:
    """The clock stands still at noon (UTC) of 20 November 2026."""
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture(name="record")
def record_fixture(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> Callable[..., Call]:
    """`record("member", request_id="a", minutes=5, …)`: that person's call, so many minutes ago."""
    tokens: dict[str, Any] = {}

    def make(name: str, request_id: str, minutes: int = 5, token: Any = None, **fields: Any) -> Call:
        by = token or tokens.setdefault(name, token_of(name)[0] if name != "outsider" else None)
        call = ReportedCall(
            **{
                "request_id": request_id,
                "started_at": NOW - timedelta(minutes=minutes),
                "model": "gpt-4o-mini",
                "input_tokens": 1000,
                "output_tokens": 500,
                "latency_ms": 800,
                **fields,
            }
        )
        result = record_calls([call], by=Caller(token=by), now=NOW)
        assert result.accepted == 1
        return Call.objects.get(team_id=by.team_id, mode=by.mode, request_id=request_id)

    return make
