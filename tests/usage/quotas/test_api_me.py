"""`GET /api/v1/me`: a key is told its context."""

from collections.abc import Callable
from typing import Any

import pytest

from teams.actions.tokens import create_token
from teams.activity import SITE
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level


@pytest.mark.parametrize("who", ["owner", "administrator", "member"])
def test_a_token_is_told_team_member_role_mode_and_quota(
    cast: Cast,
    api: Callable[..., tuple[Any, Any]],
    token_of: Callable[..., tuple[Token, str]],
    limit: Callable[..., None],
    who: str,
) -> None:
    limit(Level.TEAM, "5", period="week")
    token, secret = token_of(who, mode=Mode.TEST)
    status, body = api(secret, "GET", "me")
    assert status == 200
    assert (body["kind"], body["mode"]) == ("token", "test")
    assert body["team"] == {"slug": "harbour-research", "name": "Harbour Research", "personal": False}
    assert body["member"] == {"email": cast.user(who).email, "role": who}
    assert body["token"] == {"id": token.public_id, "name": "laptop"}
    assert [level["level"] for level in body["quota"]] == ["token", "member", "team", "owner"]
    team = body["quota"][2]
    assert team.pop("resets_at").endswith("Z")
    assert team == {
        "level": "team",
        "limit_usd": "5.00",
        "used_usd": "0.00",
        "reserved_usd": "0.00",
        "available_usd": "5.00",
        "period": "week",
    }


def test_in_a_personal_space_there_are_the_token_and_the_balance(
    cast: Cast, api: Callable[..., tuple[Any, Any]]
) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    _token, secret = create_token(by=SITE, team=space, user=cast.member, name="laptop")
    body = api(secret, "GET", "me")[1]
    assert (body["team"]["personal"], body["member"]["role"]) == (True, "owner")
    assert [level["level"] for level in body["quota"]] == ["token", "owner"]
    assert body["quota"][1]["limit_usd"] is None


def test_a_gateway_key_is_told_its_team(api: Callable[..., tuple[Any, Any]], gateway_secret: Any) -> None:
    body = api(gateway_secret, "GET", "me")[1]
    assert (body["kind"], body["mode"], body["member"]) == ("gateway_key", None, None)
    assert body["token"] is None
    assert body["team"]["slug"] == "harbour-research"
    assert [level["level"] for level in body["quota"]] == ["team", "owner"]


def test_a_gateway_key_of_the_site_has_no_team(api: Callable[..., tuple[Any, Any]], site_secret: Any) -> None:
    body = api(site_secret, "GET", "me")[1]
    assert (body["kind"], body["team"], body["quota"]) == ("gateway_key", None, [])


def test_without_a_working_key_nothing_is_told(api: Callable[..., tuple[Any, Any]], db: None) -> None:
    assert api("", "GET", "me")[0] == 401
    assert api("cb_live_made_up", "GET", "me")[0] == 401
