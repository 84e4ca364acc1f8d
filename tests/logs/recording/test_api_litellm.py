"""POST /api/v1/litellm: what LiteLLM's generic_api callback sends becomes calls."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from logs.models import Call
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.conftest import report

SECRET = "a secret question"


def payload(call_id: str = "call-1", **fields: Any) -> dict[str, Any]:
    """The parts of a StandardLoggingPayload that matter, of a call that has just ended."""
    end = timezone.now().timestamp()
    return {
        "litellm_call_id": call_id,
        "call_type": "acompletion",
        "status": "success",
        "stream": False,
        "custom_llm_provider": "openai",
        "model": "gpt-4o-mini",
        "startTime": end - 1.5,
        "endTime": end,
        "completionStartTime": end,
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "response_cost": 0.00045,
        "metadata": {},
        "messages": [{"role": "user", "content": SECRET}],
        "response": {"choices": [SECRET]},
        **fields,
    }


@pytest.fixture
def send(client: Client) -> Callable[..., Any]:
    return lambda secret, body, *rest, **more: report(client, "/api/v1/litellm", secret, body, *rest, **more)


def test_an_array_lines_and_a_single_object_are_taken(send: Callable[..., Any], mia: str) -> None:
    lines = "\n".join(json.dumps(payload(name)) for name in ("c", "d")).encode()
    assert send(mia, [payload("a"), payload("b")]).json()["accepted"] == 2
    # LiteLLM says application/json of lines, too.
    assert send(mia, lines).json()["accepted"] == 2
    assert send(mia, lines, "application/x-ndjson").json()["duplicates"] == 2
    assert send(mia, payload("e")).json()["accepted"] == 1
    assert send(mia, gzip.compress(lines), headers={"Content-Encoding": "gzip"}).json()["duplicates"] == 2


def test_a_call_has_its_cost_and_latency_and_nothing_that_was_said(
    send: Callable[..., Any], mia: str, cast: Cast
) -> None:
    send(mia, payload())
    call = Call.objects.get()
    assert (call.request_id, call.member_id, call.cost_nanos) == ("call-1", cast.member.pk, 450_000)
    assert call.latency_ms == pytest.approx(1500, abs=1)
    assert SECRET not in str(Call.objects.values().get())


def test_with_a_persons_token_end_users_are_nobody_to_us(
    send: Callable[..., Any], mia: str, cast: Cast
) -> None:
    answer = send(mia, payload(end_user="somebody@example.com")).json()
    assert answer["accepted"] == 1
    assert Call.objects.get().member_id == cast.member.pk


def test_a_gateway_finds_the_caller_by_token_alias_or_address(
    send: Callable[..., Any], team_key: str, token_of: Callable[..., tuple[Token, str]], cast: Cast
) -> None:
    token, secret = token_of("member")
    batch = [
        payload("a", metadata={"user_api_key_auth_metadata": {"callboard_token": secret}}),
        payload("b", metadata={"user_api_key_alias": token.public_id}),
        payload("c", metadata={"user_api_key_user_email": "Mia@example.org"}),
        payload("d", end_user="mia@example.org"),
    ]
    assert send(team_key, batch).json()["accepted"] == 4
    assert set(Call.objects.values_list("member_id", flat=True)) == {cast.member.pk}
    assert dict(Call.objects.values_list("request_id", "token_id"))["a"] == token.pk


def test_a_payload_of_nobody_is_refused_under_its_own_id_and_the_others_stored(
    send: Callable[..., Any], team_key: str
) -> None:
    batch = [payload("a", end_user="mia@example.org"), payload("b"), payload("c", startTime="now")]
    answer = send(team_key, batch).json()
    assert answer["accepted"] == 1
    assert [(bad["index"], bad["request_id"]) for bad in answer["rejected"]] == [(1, "b"), (2, "c")]


def test_keys_and_bodies_are_refused_as_everywhere(send: Callable[..., Any], mia: str) -> None:
    assert send(None, payload()).json()["error"]["code"] == "missing_key"
    assert send("cb_live_x", payload()).json()["error"]["code"] == "invalid_token"
    assert send(mia, b"{").json()["error"]["code"] == "invalid_json"
    assert send(mia, payload(), "text/plain").status_code == 415
    assert send(mia, b"{}\n" * 10_001).status_code == 413
