"""A request of which nothing was taken is answered with an error of HTTP, which senders log."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from logs.models import Call
from tests.logs.conftest import record, report
from tests.logs.formats.test_otlp import CHAT, span
from tests.logs.formats.test_otlp import request as trace
from tests.logs.recording.test_api_litellm import payload
from tests.logs.recording.test_api_otlp import JSON, PROTOBUF, fresh

TIMELESS: dict[str, Any] = {"startTime": "now"}
UNKNOWN = {"metadata": {"user_api_key_auth_metadata": {"callboard_token": "tok_unknown"}}}
OUTSIDER = {"end_user": "otto@example.org"}


@pytest.fixture
def litellm(client: Client) -> Callable[..., Any]:
    return lambda secret, body: report(client, "/api/v1/litellm", secret, body)


@pytest.fixture
def otlp(client: Client) -> Callable[..., Any]:
    return lambda secret, body, kind=PROTOBUF: report(client, "/otlp/v1/traces", secret, body, kind)


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        ([TIMELESS, TIMELESS], 400, "invalid_request"),
        ([UNKNOWN, UNKNOWN], 401, "invalid_token"),
        ([OUTSIDER, OUTSIDER], 403, "out_of_scope"),
        ([UNKNOWN, OUTSIDER], 403, "out_of_scope"),
        ([UNKNOWN, OUTSIDER, TIMELESS], 400, "invalid_request"),
    ],
)
def test_litellm_is_told_the_status_of_the_reason_beside_each_record(
    litellm: Callable[..., Any],
    team_key: str,
    bad: list[dict[str, str]]
    | list[dict[str, dict[str, dict[str, str]]]]
    | list[dict[str, dict[str, dict[str, str]]] | dict[str, str]],
    status: int,
    code: str,
) -> None:
    response = litellm(team_key, [payload(f"r{place}", **fields) for place, fields in enumerate(bad)])
    assert response.status_code == status
    answer = response.json()
    assert (answer["accepted"], answer["duplicates"], len(answer["rejected"])) == (0, 0, len(bad))
    error = answer["error"]
    assert (error["code"], error["param"]) == (code, answer["rejected"][0]["param"])
    assert error["message"] == (
        f"All {len(bad)} records were rejected. The first: {answer['rejected'][0]['message']}"
    )
    assert response.has_header("WWW-Authenticate") is (status == 401)


def test_one_record_that_was_taken_or_known_makes_it_a_success(litellm: Callable[..., Any], mia: str) -> None:
    known = payload("known")
    assert litellm(mia, [payload("a", **TIMELESS), known]).status_code == 200
    again = litellm(mia, [payload("a", **TIMELESS), known])
    assert (again.status_code, again.json()["duplicates"]) == (200, 1)
    assert "error" not in again.json()


def test_an_empty_request_is_a_success(litellm: Callable[..., Any], otlp: Callable[..., Any], mia: str) -> None:
    assert litellm(mia, []).json() == {"accepted": 0, "duplicates": 0, "rejected": []}
    http = trace(span({"http.request.method": "GET"}))
    assert [litellm(mia, []).status_code, otlp(mia, http).status_code, otlp(mia, b"").status_code] == [200] * 3


def test_callboards_own_format_names_the_records_and_stays_a_success(client: Client, team_key: str) -> None:
    nobodys = [record("a", token="tok_unknown"), record("b", token="tok_unknown")]
    response = report(client, "/api/v1/calls", team_key, nobodys)
    assert (response.status_code, len(response.json()["rejected"])) == (200, 2)


def test_otlp_is_told_by_a_status_in_protobuf_and_json(otlp: Callable[..., Any], team_key: str) -> None:
    body = fresh(**{"user.email": "otto@example.org"})
    response = otlp(team_key, body)
    assert (response.status_code, response["Content-Type"]) == (403, PROTOBUF)
    # google.rpc.Status has its message in the field 2, as the Status of a span has.
    assert Status.FromString(response.content).message.startswith("The record was rejected: ")
    as_json = json_format.MessageToJson(ExportTraceServiceRequest.FromString(body)).encode()
    response = otlp(team_key, as_json, JSON)
    assert (response.status_code, response["Content-Type"]) == (403, JSON)
    assert json.loads(response.content)["message"].startswith("The record was rejected: ")
    assert not Call.objects.exists()


def test_otlp_names_the_spans_of_a_request_of_which_some_were_taken(
    otlp: Callable[..., Any], team_key: str
) -> None:
    ends: dict[str, Any] = {
        "start_time_unix_nano": time.time_ns() - 10**9,
        "end_time_unix_nano": time.time_ns(),
    }
    strange = {**CHAT, "user.email": "otto@example.org", "gen_ai.response.id": "other"}
    response = otlp(team_key, trace(span(CHAT, **ends), span(strange, span_id=b"12345678", **ends)))
    assert response.status_code == 200
    assert ExportTraceServiceResponse.FromString(response.content).partial_success.rejected_spans == 1
    assert Call.objects.count() == 1
