"""Clients of the HTTP API."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from tests.conftest import Cast


@pytest.fixture
def api() -> Callable[..., tuple[Any, Any]]:
    """`api(secret, "POST", "reservations", {…})`: status and decoded answer."""

    def ask(
        secret: str, method: Any, path: Any, body: Any = None, content_type: str = "application/json"
    ) -> tuple[Any, Any]:
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        answer = Client().generic(method, f"/api/v1/{path}", data, content_type, headers=headers)
        return answer.status_code, json.loads(answer.content) if answer.content else None

    return ask


@pytest.fixture
def gateway_secret(cast: Cast) -> Any:
    return create_gateway_key(by=SITE, team=cast.team, name="proxy")[1]


@pytest.fixture
def site_secret(db: None) -> Any:
    return create_gateway_key(by=SITE, team=None, name="site proxy")[1]
