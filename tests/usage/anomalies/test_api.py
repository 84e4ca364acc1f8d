"""GET /api/v1/unusual: the episodes for programs, for those who may see them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.anomalies.conftest import at_noon, happen, runaway, tokens, usual  # noqa: F401


@pytest.fixture
def get(client: Client, runaway: None, at_noon: None) -> Callable[..., Any]:  # noqa: F811
    def ask(secret: str, query: str = "") -> Any:
        return client.get(f"/api/v1/unusual?{query}", headers={"Authorization": f"Bearer {secret}"})

    return ask


WEEK = "from=2026-11-13&to=2026-11-21"


@pytest.mark.parametrize("name", ["owner", "administrator"])
def test_owners_and_administrators_are_told_of_their_team(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], cast: Cast, name: str
) -> None:
    answer = get(token_of(name)[1], WEEK).json()
    (episode,) = answer["episodes"]
    assert (episode["kind"], episode["from"], episode["to"]) == (
        "calls",
        "2026-11-19T11:00:00Z",
        "2026-11-19T12:00:00Z",
    )
    assert episode["drivers"][0]["name"] == "Mia"
    assert episode["drivers"][0]["key"] == cast.member.public_id
    assert episode["url"].startswith("http")
    assert episode["expected"] is None
    assert (answer["time_zone"], answer["learning_until"]) == ("Europe/Berlin", None)


def test_members_are_told_of_their_own_calls_only(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], cast: Cast
) -> None:
    (episode,) = get(token_of("member")[1], WEEK).json()["episodes"]
    assert (episode["kind"], episode["member"]) == ("member", cast.member.public_id)
    for others in ("adam@example.org", "fay@example.org", "nobody@example.org", cast.owner.public_id):
        assert get(token_of("member")[1], f"member={others}").json()["error"]["code"] == "out_of_scope"
    assert get(token_of("member")[1], f"{WEEK}&member=Mia@Example.org").json()["episodes"] == [episode]


def test_a_team_key_reads_its_team(get: Callable[..., Any], cast: Cast) -> None:
    _key, secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
    assert len(get(secret, WEEK).json()["episodes"]) == 1
    assert get(secret, f"team={cast.other_team.slug}").status_code == 403


def test_outsiders_and_strangers_learn_nothing(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], cast: Cast
) -> None:
    outsider = token_of("outsider", team=cast.other_team)[1]
    assert get(outsider, WEEK).json()["episodes"] == []
    assert get(outsider, f"team={cast.team.slug}").status_code == 403
    assert get("cb_live_made-up").status_code == 401


def test_a_test_token_reads_test_mode(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    assert get(token_of("owner", mode=Mode.TEST)[1], WEEK).json()["episodes"] == []


@pytest.mark.parametrize(
    "query", ["from=2026-11-21&to=2026-11-20", "from=1990-01-01", "mode=both", "from=soon"]
)
def test_bad_parameters_are_named(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], query: str
) -> None:
    assert get(token_of("owner")[1], query).json()["error"]["param"] in {"from", "to", "mode"}
