"""What a key reported is counted, by the hour and with reasons, whatever became of its records."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from logs.models import Call
from teams.actions.tokens import disable_token, revoke_token
from teams.activity import SITE
from teams.models import GatewayKey, Token
from tests.logs.conftest import NOW, record, report
from tests.logs.recording.test_api_litellm import payload
from tests.logs.recording.test_api_otlp import PROTOBUF, fresh
from usage.reporting import counting
from usage.reporting.figures import Counts, KeyReport, key_report
from usage.reporting.models import KeyHour, KeyRejection


@pytest.fixture
def send(client: Client) -> Callable[..., Any]:
    return lambda path, secret, body, *rest, **more: report(client, path, secret, body, *rest, **more)


def of(key: Any) -> KeyReport:
    return key_report(key, timezone.now())


def reasons(key: Any) -> list[tuple[Any, Any, Any, Any, Any]]:
    return [(one.code, one.param, one.message, one.request_id, one.records) for one in of(key).reasons]


def test_accepted_duplicate_and_rejected_records_are_counted_with_their_reason(
    send: Callable[..., Any], mia: str
) -> None:
    batch = [record("a"), record("b"), record("c", latency_ms=-1), record("d", latency_ms=-1)]
    send("/api/v1/calls", mia, batch)
    send("/api/v1/calls", mia, batch[:1])
    token = Token.objects.get()
    assert of(token).day == of(token).week == Counts(accepted=2, duplicates=1, rejected=2)
    assert reasons(token) == [("invalid_request", "latency_ms", "latency_ms must be at least 0.", "c", 2)]


def test_a_batch_of_which_nothing_was_stored_is_counted(send: Callable[..., Any], team_key: str) -> None:
    send("/api/v1/litellm", team_key, [payload("x", end_user="otto@example.org")])
    send("/otlp/v1/traces", team_key, fresh(**{"user.email": "otto@example.org"}), PROTOBUF)
    key = GatewayKey.objects.get()
    assert not Call.objects.exists()
    assert of(key).day == Counts(rejected=2)
    assert {(code, records) for code, _param, _text, _id, records in reasons(key)} == {("out_of_scope", 1)}
    assert len(reasons(key)) == 2


@pytest.mark.parametrize(
    ("path", "body", "kind", "code"),
    [
        ("/api/v1/calls", b"{", "application/json", "invalid_json"),
        ("/api/v1/calls", b"{}", "text/plain", "unsupported_media_type"),
        ("/api/v1/litellm", b"{}\n" * 10_001, "application/x-ndjson", "too_large"),
        ("/otlp/v1/traces", b"nonsense", PROTOBUF, "invalid_json"),
        ("/otlp/v1/traces", b"{}", "text/plain", "unsupported_media_type"),
    ],
)
def test_a_request_that_is_refused_as_a_whole_is_counted_with_its_reason(
    send: Callable[..., Any], mia: str, path: str, body: bytes, kind: Any, code: str
) -> None:
    assert send(path, mia, body, kind).status_code >= 400
    token = Token.objects.get()
    assert of(token).day == Counts(refused_requests=1)
    ((found, _param, message, request_id, records),) = reasons(token)
    assert (found, request_id, records) == (code, "", 0)
    assert message


@pytest.mark.parametrize("stop", [disable_token, revoke_token])
def test_a_key_that_no_longer_works_is_counted_all_the_same(
    send: Callable[..., Any], mia: str, stop: Any
) -> None:
    token = Token.objects.get()
    stop(by=SITE, token=token, now=timezone.now())
    for path, kind in [("calls", "application/json"), ("litellm", "application/json")]:
        assert send(f"/api/v1/{path}", mia, [record()], kind).status_code == 401
    assert send("/otlp/v1/traces", mia, fresh(), PROTOBUF).status_code == 401
    assert of(token).day == Counts(refused_requests=3)
    assert {code for code, *_rest in reasons(token)} == {"invalid_token"}


def test_an_unknown_key_and_an_empty_request_are_nobodys_and_nothing(
    send: Callable[..., Any], mia: str
) -> None:
    assert send("/api/v1/calls", "cb_live_unknown", [record()]).status_code == 401
    assert send("/api/v1/calls", None, [record()]).status_code == 401
    assert send("/api/v1/calls", mia, []).status_code == 200
    assert not KeyHour.objects.exists()
    assert not KeyRejection.objects.exists()


def test_reading_is_not_reporting(client: Client, mia: str) -> None:
    headers = {"Authorization": f"Bearer {mia}"}
    assert client.get("/api/v1/usage?nonsense=1", headers=headers).status_code == 400
    assert not KeyHour.objects.exists()


def test_of_many_reasons_the_latest_twenty_are_kept_of_each_key(
    send: Callable[..., Any], mia: str, team_key: str
) -> None:
    send("/api/v1/calls", team_key, [record("other", team="nowhere")])
    for first in (0, 15):
        batch = [
            record(f"r{n}", **{f"{'latency_ms' if n % 2 else 'status'}": -n - 1})
            for n in range(first, first + 15)
        ]
        send("/api/v1/calls", mia, batch)
    for n in range(22):
        send("/api/v1/calls", mia, [record(f"s{n}", status="x")])
    token = Token.objects.get()
    assert [one.request_id for one in of(token).reasons] == [f"s{n}" for n in reversed(range(2, 22))]
    assert KeyRejection.objects.count() == 21
    assert of(token).day.rejected == 30 + 22


def test_reasons_quote_nothing_of_what_was_sent(send: Callable[..., Any], mia: str, team_key: str) -> None:
    secret = "a secret prompt"
    odd = [
        {"request_id": "1", "started_at": secret, "model": secret},
        record("2", model=[secret]),
        record("3", service_tier=secret),
        record("4", tags=[secret * 10]),
        record("5", metadata={secret: float("nan")}),
        record("6", cost_usd=secret),
        record("7", ip=secret),
        record("8", error=secret),
        secret,
    ]
    send("/api/v1/calls", mia, odd)
    send("/api/v1/calls", team_key, [record("9", token=secret), record("10", team=secret, member=secret)])
    send("/api/v1/calls", mia, json.dumps(odd)[:-20].encode())
    send("/otlp/v1/traces", mia, json.dumps({"resourceSpans": [{"scopeSpans": secret}]}).encode())
    send("/otlp/v1/traces", mia, json.dumps({secret: {secret: secret}, "resourceSpans": secret}).encode())
    send(
        "/otlp/v1/traces",
        mia,
        json.dumps(
            {"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": secret, "startTimeUnixNano": secret}]}]}]}
        ).encode(),
    )
    send("/otlp/v1/traces", mia, json.dumps([secret]).encode())
    assert KeyRejection.objects.count() >= 14
    assert secret not in " ".join(map(str, KeyRejection.objects.values()))


def test_a_count_that_cannot_be_written_changes_no_answer(
    send: Callable[..., Any], mia: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(statements: Any) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr(counting, "_write", fail)
    assert send("/api/v1/calls", mia, [record()]).json()["accepted"] == 1
    assert "was not counted" in caplog.text


def test_hours_are_added_up_for_the_last_day_and_week(send: Callable[..., Any], mia: str) -> None:
    for hours in (24 * 7 + 2, 24 * 7 - 1, 25.5, 23, 0):
        with time_machine.travel(NOW - timedelta(hours=hours), tick=False):
            send("/api/v1/calls", mia, [record(f"r{hours}")])
    token = Token.objects.get()
    with time_machine.travel(NOW, tick=False):
        assert (of(token).day.accepted, of(token).week.accepted) == (2, 4)
