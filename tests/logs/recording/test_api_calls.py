"""POST /api/v1/calls, line by line of the contract: keys, errors, forms of a body, answers (`docs/api.md`)."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from logs.models import Call
from teams.actions.gateway_keys import create_gateway_key, disable_gateway_key, revoke_gateway_key
from teams.actions.members import leave_team
from teams.actions.teams import delete_team
from teams.actions.tokens import create_token, disable_token, revoke_token
from teams.activity import SITE, Actor
from teams.models import Mode, Token
from tests.conftest import Cast
from tests.logs.conftest import record
from usage.prices.models import PricedBy
from usage.quotas.models import Level, QuotaUse
from usage.rollups.models import DayMember

NDJSON = "application/x-ndjson"
ACCEPTED = {"accepted": 1, "duplicates": 0, "rejected": []}


def error_of(response: Any, status: int) -> dict[str, Any]:
    """The error of an answer, which has OpenAI's shape."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert list(body) == ["error"]
    assert {"message", "type", "code", "param"} <= set(body["error"])
    assert body["error"]["message"]
    return body["error"]


# --- What may be sent ---------------------------------------------------------------------------


def test_one_record_is_accepted_and_counted_before_the_answer(
    post: Callable[..., Any], mia: str, cast: Cast
) -> None:
    response = post(mia, record())
    assert (response.status_code, response.json()) == (200, ACCEPTED)
    call = Call.objects.get()
    assert (call.member_id, call.team_id, call.cost_nanos) == (cast.member.pk, cast.team.pk, 450_000)
    assert DayMember.objects.get().calls == 1
    assert QuotaUse.objects.get(level=Level.TEAM).used_nanos == 450_000


def test_an_array_and_lines_are_accepted(post: Callable[..., Any], mia: str) -> None:
    assert post(mia, [record("a"), record("b")]).json()["accepted"] == 2
    lines = b"\n".join(json.dumps(record(name)).encode() for name in "cd")
    assert post(mia, lines, NDJSON).json()["accepted"] == 2


def test_gzip_is_understood(post: Callable[..., Any], mia: str) -> None:
    packed = gzip.compress(json.dumps(record()).encode())
    assert post(mia, packed, headers={"Content-Encoding": "gzip"}).json() == ACCEPTED


def test_an_empty_batch_is_nothing(post: Callable[..., Any], mia: str) -> None:
    nothing = {"accepted": 0, "duplicates": 0, "rejected": []}
    assert post(mia, []).json() == nothing
    assert post(mia, b"", NDJSON).json() == nothing


def test_every_field_of_the_contract_is_kept(post: Callable[..., Any], mia: str) -> None:
    started = (timezone.now() - timedelta(hours=1)).astimezone(UTC)
    sent = {
        "request_id": "all",
        "started_at": started.isoformat(),
        "model": "gpt-4o",
        "latency_ms": 2500,
        "status": 503,
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_tokens": 50,
        "cache_write_tokens": 10,
        "reasoning_tokens": 5,
        "cost_usd": "0.000160",
        "ttft_ms": 300,
        "stream": True,
        "provider": "openai",
        "endpoint": "chat",
        "channel": "azure-east",
        "error": {"type": "overloaded", "code": "busy", "message": "Try again"},
        "ip": "192.0.2.7",
        "user_agent": "curl/8",
        "session_id": "s1",
        "tags": ["nightly"],
        "metadata": {"job": 7, "messages": ["secret"]},
    }
    assert post(mia, sent).json() == ACCEPTED
    call = Call.objects.get()
    same = set(sent) - {"cost_usd", "error", "metadata", "started_at"}
    assert {name: getattr(call, name) for name in same} == {name: sent[name] for name in same}
    assert (call.started_at, call.cost_nanos, call.priced_by) == (started, 160_000, PricedBy.REPORT)
    assert (call.error_type, call.error_code, call.error_message) == ("overloaded", "busy", "Try again")
    assert call.metadata == {"job": 7}


def test_what_is_absent_has_the_default_of_the_contract(post: Callable[..., Any], mia: str) -> None:
    started = datetime.now(UTC) - timedelta(hours=1)
    post(mia, {"request_id": "r", "started_at": started.isoformat(), "model": "house-model"})
    call = Call.objects.get()
    assert (call.status, call.input_tokens, call.stream, call.tags) == (200, 0, False, [])
    assert (call.latency_ms, call.ttft_ms) == (None, None)
    assert (call.cost_nanos, call.priced_by) == (0, PricedBy.NOTHING)


# --- Again, and in part -------------------------------------------------------------------------


def test_reporting_again_changes_nothing(post: Callable[..., Any], mia: str) -> None:
    batch = [record("a"), record("b")]
    post(mia, batch)
    again = post(mia, [*batch, record("c")]).json()
    assert (again["accepted"], again["duplicates"]) == (1, 2)
    assert DayMember.objects.get().calls == Call.objects.count() == 3


def test_live_and_test_mode_do_not_meet(
    post: Callable[..., Any], mia: str, token_of: Callable[..., tuple[Token, str]]
) -> None:
    post(mia, record())
    assert post(token_of("member", mode=Mode.TEST)[1], record()).json() == ACCEPTED
    assert sorted(DayMember.objects.values_list("mode", "calls")) == [(Mode.LIVE, 1), (Mode.TEST, 1)]


def test_a_bad_record_never_keeps_a_good_one_out(post: Callable[..., Any], mia: str) -> None:
    batch = [record("a"), record("b", latency_ms="fast"), record("a"), 7, record("c")]
    answer = post(mia, batch).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    fast, seven = answer["rejected"]
    assert fast.pop("message")
    assert fast == {"index": 1, "request_id": "b", "code": "invalid_request", "param": "latency_ms"}
    assert (seven["index"], seven["request_id"]) == (3, None)
    assert set(Call.objects.values_list("request_id", flat=True)) == {"a", "c"}


# --- Keys ---------------------------------------------------------------------------------------


def test_without_a_key_nothing_is_taken(post: Callable[..., Any]) -> None:
    error = error_of(post(None, record()), 401)
    assert (error["code"], error["type"]) == ("missing_key", "authentication_error")


@pytest.mark.parametrize("scheme", ["Basic abc", "Bearer", "Bearer  ", "cb_live_x"])
def test_another_scheme_is_a_missing_key(post: Callable[..., Any], db: None, scheme: str) -> None:
    assert error_of(post(None, record(), headers={"Authorization": scheme}), 401)["code"] == "missing_key"


@pytest.mark.parametrize("key", ["cb_live_made-up", "cb_gw_made-up", "sk-other", "cb_live_\u00fc", "x" * 5000])
def test_an_unknown_key_is_refused(post: Callable[..., Any], db: None, key: str) -> None:
    assert error_of(post(key, record()), 401)["code"] == "invalid_token"


@pytest.mark.parametrize("end", ["disabled", "revoked", "expired", "left", "deleted", "deactivated"])
def test_a_key_that_has_ended_is_refused(post: Callable[..., Any], cast: Cast, end: str) -> None:
    now = timezone.now()
    token, secret = create_token(by=SITE, team=cast.team, user=cast.member, name="laptop")
    if end == "disabled":
        disable_token(by=SITE, token=token, now=now)
    elif end == "revoked":
        revoke_token(by=SITE, token=token, now=now)
    elif end == "expired":
        Token.objects.update(expires_at=now)
    elif end == "left":
        leave_team(by=Actor(cast.member, ""), team=cast.team, now=now)
    elif end == "deleted":
        delete_team(by=Actor(cast.owner, ""), team=cast.team, typed_name=cast.team.name, now=now)
    else:
        type(cast.member).objects.filter(pk=cast.member.pk).update(is_active=False)
    assert error_of(post(secret, record()), 401)["code"] == "invalid_token"
    assert not Call.objects.exists()


@pytest.mark.parametrize("stop", [disable_gateway_key, revoke_gateway_key])
def test_a_gateway_key_that_has_ended_is_refused(post: Callable[..., Any], cast: Cast, stop: Any) -> None:
    key, secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
    stop(by=SITE, key=key, now=timezone.now())
    assert error_of(post(secret, record()), 401)["code"] == "invalid_token"


def test_a_gateway_key_reports_for_tokens_and_members_of_its_team(
    post: Callable[..., Any], team_key: str, token_of: Callable[..., tuple[Token, str]], cast: Cast
) -> None:
    token, secret = token_of("member")
    batch = [
        record("a", token=secret),
        record("b", token=token.public_id),
        record("c", team=cast.team.slug, member="mia@example.org"),
    ]
    assert post(team_key, batch).json()["accepted"] == 3
    assert set(Call.objects.values_list("member_id", flat=True)) == {cast.member.pk}


def test_a_site_key_reports_for_every_team(
    post: Callable[..., Any], site_key: str, token_of: Callable[..., tuple[Token, str]], cast: Cast
) -> None:
    token, _secret = token_of("outsider", team=cast.other_team)
    batch = [record("a", token=token.public_id), record("b", team=cast.team.slug, member="adam@example.org")]
    assert post(site_key, batch).json()["accepted"] == 2


def test_a_team_key_has_no_right_to_other_teams(
    post: Callable[..., Any], team_key: str, token_of: Callable[..., tuple[Token, str]], cast: Cast
) -> None:
    token, _secret = token_of("outsider", team=cast.other_team)
    batch = [
        record("a", token=token.public_id),
        record("b", team=cast.other_team.slug, member="otto@example.org"),
        record("c", team=cast.team.slug, member="fay@example.org"),
        record("d"),
    ]
    answer = post(team_key, batch).json()
    assert answer["accepted"] == 0
    assert [bad["code"] for bad in answer["rejected"]] == [*["out_of_scope"] * 3, "invalid_request"]
    assert not Call.objects.exists()


def test_a_token_reports_its_own_calls_only(
    post: Callable[..., Any], mia: str, token_of: Callable[..., tuple[Token, str]]
) -> None:
    other, _secret = token_of("owner")
    (bad,) = post(mia, record(token=other.public_id)).json()["rejected"]
    assert (bad["code"], bad["param"]) == ("out_of_scope", "token")


# --- Refused as a whole -------------------------------------------------------------------------


def test_other_methods_and_addresses_are_errors_in_the_same_shape(client: Client, mia: str) -> None:
    headers = {"Authorization": f"Bearer {mia}"}
    response = client.get("/api/v1/calls/nothing", headers=headers)
    assert error_of(response, 404)["code"] == "not_found"
    response = client.delete("/api/v1/litellm", headers=headers)
    assert (error_of(response, 405)["code"], response["Allow"]) == ("method_not_allowed", "POST")


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"nonsense", b'{"a": 1} {"b": 2}', b"\xff\xfe{}"])
def test_a_body_that_is_not_json_is_400(post: Callable[..., Any], mia: str, body: bytes) -> None:
    error = error_of(post(mia, body), 400)
    assert (error["code"], error["type"]) == ("invalid_json", "invalid_request_error")


def test_a_body_that_is_not_the_gzip_it_says_is_400(post: Callable[..., Any], mia: str) -> None:
    packed = gzip.compress(json.dumps(record()).encode())
    for body in (b"{}", packed[:-9]):
        assert error_of(post(mia, body, headers={"Content-Encoding": "gzip"}), 400)["code"] == "invalid_json"


@pytest.mark.parametrize(
    ("content_type", "encoding"), [("text/plain", ""), ("", ""), ("application/json", "br")]
)
def test_what_is_not_understood_is_415(
    post: Callable[..., Any], mia: str, content_type: str, encoding: str
) -> None:
    response = post(mia, record(), content_type, headers={"Content-Encoding": encoding})
    assert error_of(response, 415)["code"] == "unsupported_media_type"


def test_more_than_10_000_records_are_413_and_none_is_stored(post: Callable[..., Any], mia: str) -> None:
    lines = b"{}\n" * 10_000 + json.dumps(record()).encode()
    assert error_of(post(mia, lines, NDJSON), 413)["code"] == "too_large"
    assert len(post(mia, b"{}\n" * 10_000, NDJSON).json()["rejected"]) == 10_000
    assert not Call.objects.exists()


def test_more_than_16_mib_are_413_packed_or_not(post: Callable[..., Any], mia: str) -> None:
    body = b"[" + b" " * 16 * 1024 * 1024 + b"]"
    assert error_of(post(mia, body), 413)["code"] == "too_large"
    packed = gzip.compress(body, 1)
    assert error_of(post(mia, packed, headers={"Content-Encoding": "gzip"}), 413)["code"] == "too_large"


def test_a_key_is_asked_for_before_the_body_is_read(post: Callable[..., Any], db: None) -> None:
    assert error_of(post("cb_live_x", b"nonsense", "text/plain"), 401)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_half_way_is_503_and_stores_nothing(
    post: Callable[..., Any], mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(charges: Any) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr("logs.recording.record.charge_quotas", failing)
    response = post(mia, [record("a"), record("b")])
    error = error_of(response, 503)
    assert (error["code"], error["type"]) == ("unavailable", "server_error")
    assert int(response["Retry-After"]) > 0
    assert not Call.objects.exists()
    assert not DayMember.objects.exists()
