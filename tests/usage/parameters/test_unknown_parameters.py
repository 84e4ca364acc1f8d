"""Lists and statistics of the API refuse a parameter that they do not know, whoever asks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models.keys import Token
from tests.conftest import Cast

# An endpoint, a parameter that another one knows or that is misspelt, and one that it knows.
CASES = [
    ("usage", "models", "model"),
    ("usage", "limit", "granularity"),
    ("usage", "status", "group_by"),
    ("unusual", "model", "member"),
    ("unusual", "group_by", "from"),
    ("calls", "models", "model"),
    ("calls", "group_by", "limit"),
    ("calls", "users", "member"),
]


@pytest.fixture
def ask(client: Client) -> Callable[..., Any]:
    return lambda secret, path, query: client.get(
        f"/api/v1/{path}?{query}", headers={"Authorization": f"Bearer {secret}"}
    )


@pytest.mark.parametrize("who", ["owner", "administrator", "member"])
@pytest.mark.parametrize(("path", "unknown", "known"), CASES)
def test_it_is_named_beside_those_that_there_are(
    ask: Callable[..., Any],
    token_of: Callable[..., tuple[Token, str]],
    who: str,
    path: str,
    unknown: str,
    known: str,
) -> None:
    response = ask(token_of(who)[1], path, f"mode=live&{unknown}=x")
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("invalid_request", unknown)
    assert f" {known}" in error["message"]


@pytest.mark.parametrize("path", ["usage", "unusual", "calls"])
def test_gateway_keys_are_told_the_same(ask: Callable[..., Any], cast: Cast, path: str) -> None:
    for team in (cast.team, None):
        secret = create_gateway_key(by=SITE, team=team, name="proxy")[1]
        response = ask(secret, path, f"team={cast.team.slug}&membr=x")
        assert (response.status_code, response.json()["error"]["param"]) == (400, "membr")
        assert ask(secret, path, f"team={cast.team.slug}").status_code == 200


@pytest.mark.parametrize("path", ["usage", "unusual", "calls"])
def test_without_a_key_nothing_is_said_of_parameters(client: Client, db: None, path: str) -> None:
    assert client.get(f"/api/v1/{path}?nonsense=1").status_code == 401


def test_the_address_of_the_logs_page_can_be_asked_for_as_it_is(
    ask: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    query = "period=24h&compare=none&sort=cost&outcome=succeeded&live=&latency_from=5&stream=no&unpriced=no"
    assert ask(token_of("owner")[1], "calls", query).status_code == 200
