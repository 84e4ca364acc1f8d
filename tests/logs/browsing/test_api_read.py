"""GET /api/v1/calls: the same filters, by cursor, for whom the key stands."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from logs.formats.reported import DETAILS
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def api() -> Callable[..., Any]:
    """`api(secret, limit=2)`: the answer of GET /api/v1/calls with that key."""

    def get(secret: str, accept: str = "application/json", **asked: Any) -> Any:
        headers = {"Authorization": f"Bearer {secret}", "Accept": accept}
        return Client().get("/api/v1/calls", asked, headers=headers)

    return get


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [call["request_id"] for call in response.json()["calls"]]


def test_owners_read_the_team_and_members_themselves(
    record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    record("owner", "a", minutes=2)
    record("member", "b", minutes=1)
    assert ids(api(token_of("owner")[1])) == ["b", "a"]
    assert ids(api(token_of("administrator")[1])) == ["b", "a"]
    assert ids(api(token_of("member")[1])) == ["b"]


def test_a_member_cannot_ask_for_others(
    cast: Cast, record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    record("owner", "a")
    record("member", "b")
    secret = token_of("member")[1]
    for others in (
        [cast.owner.public_id],
        [cast.owner.email],
        [cast.member.email, cast.owner.email],
        ["nobody"],
    ):
        response = api(secret, member=others)
        assert response.status_code == 403
        error = response.json()["error"]
        assert (error["code"], error["param"]) == ("out_of_scope", "member")
    for own in (cast.member.public_id, cast.member.email, "Mia@Example.org"):
        assert ids(api(secret, member=own)) == ["b"]


def test_others_tokens_are_to_a_member_as_if_there_were_none(
    record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    (owners, _secret), (members, secret) = token_of("owner"), token_of("member")
    record("member", "b", token=members)
    for token in (owners.public_id, "tok_nobody"):
        error = api(secret, token=token).json()["error"]
        assert error["message"] == f"You have no token “{token}” in this team."
    assert ids(api(secret, token=members.public_id)) == ["b"]
    assert ids(api(token_of("owner")[1], token=owners.public_id)) == []


def test_a_teams_gateway_key_reads_its_team_and_no_other(
    cast: Cast, record: Any, api: Callable[..., Any]
) -> None:
    record("owner", "a")
    _key, secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
    assert ids(api(secret)) == ["a"]
    assert api(secret, team=cast.other_team.slug).status_code == 403


def test_a_test_token_reads_test_calls(
    record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, secret = token_of("member", mode=Mode.TEST)
    record("member", "live")
    record("member", "test", token=token)
    assert ids(api(secret)) == ["test"]


def test_a_request_id_is_found_whenever_it_was(
    record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    record("member", "needle", minutes=60 * 24 * 100)
    assert ids(api(token_of("owner")[1], request="needle")) == ["needle"]
    assert ids(api(token_of("owner")[1], request="needle", model="other")) == []


def test_the_cursor_leads_through_all_calls_once(
    record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    for n in range(7):
        record("owner", f"r{n}", minutes=n + 1)
    secret, seen, cursor = token_of("owner")[1], [], ""
    while cursor is not None:
        response = api(secret, limit=3, cursor=cursor, stream="no")
        seen += ids(response)
        cursor = response.json()["next"]
    assert seen == [f"r{n}" for n in range(7)]


def test_what_few_calls_have_is_in_json_by_its_name_and_null_otherwise(
    record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    note = "response_cost must not be negative; left out."
    record("owner", "a", minutes=1, corrections=[note], response_model="gpt-4o", cache_write_1h_tokens=0)
    record("owner", "b", minutes=2)
    secret = token_of("owner")[1]
    special, usual = api(secret).json()["calls"]
    assert (special["corrections"], special["response_model"]) == ([note], "gpt-4o")
    assert {name: usual[name] for name in DETAILS} == dict.fromkeys(DETAILS)
    lines = api(secret, accept="application/x-ndjson").content.splitlines()
    assert [json.loads(line) for line in lines] == [special, usual]
    assert "corrections" not in api(secret, accept="text/csv").content.decode(), "its columns stay"


def test_ndjson_and_csv_by_accept_with_the_cursor_in_a_header(
    record: Any, api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    record("owner", "a", minutes=1)
    record("owner", "b", minutes=2)
    secret = token_of("owner")[1]
    response = api(secret, accept="application/x-ndjson", limit=1)
    assert [json.loads(line)["request_id"] for line in response.content.splitlines()] == ["a"]
    after = response["Callboard-Next"]
    response = api(secret, accept="text/csv", limit=1, cursor=after)
    lines = response.content.decode().splitlines()
    assert lines[0].startswith("id,request_id,started_at")
    assert lines[1].split(",")[1] == "b"
    assert "Callboard-Next" not in response


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("TEXT/CSV", "text/csv"),
        ("text/csv; charset=UTF-8", "text/csv"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/json, text/csv", "application/json"),
        ("text/csv, application/json", "text/csv"),
        ("*/*, text/csv;q=0.9", "application/json"),
        ("application/x-ndjson, */*;q=0.1", "application/x-ndjson"),
        ("text/html, */*;q=0.8", "application/json"),
        ("text/csvx, image/png", "application/json"),
        ("", "application/json"),
    ],
)
def test_the_form_is_the_one_that_is_accepted_most_and_else_json(
    api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], accept: str, kind: str
) -> None:
    response = api(token_of("owner")[1], accept=accept)
    assert response["Content-Type"].partition(";")[0] == kind


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "9999"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"latency_from": "x"}, "latency_from"),
        ({"from": "2026-13-01", "to": "2026-11-02"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"cursor": "forged"}, "cursor"),
        ({"mode": "other"}, "mode"),
        ({"member": "usr_nobody"}, "member"),
    ],
)
def test_a_wrong_parameter_is_named(
    api: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], asked: dict[str, str], param: str
) -> None:
    response = api(token_of("owner")[1], **asked)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_one_address_reads_and_reports_and_nothing_else(token_of: Callable[..., tuple[Token, str]]) -> None:
    headers = {"Authorization": f"Bearer {token_of('owner')[1]}"}
    record = {"request_id": "x", "started_at": "2026-11-20T11:59:00Z", "model": "m"}
    posted = Client().post("/api/v1/calls", record, content_type="application/json", headers=headers)
    assert posted.json()["accepted"] == 1
    response = Client().delete("/api/v1/calls", headers=headers)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")
    assert Client().get("/api/v1/calls").status_code == 401
