"""POST /otlp/v1/traces: an OTLP/HTTP receiver, whose answers are OTLP's."""

import gzip
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

from logs.models import Call
from tests.conftest import Cast
from tests.logs.conftest import report
from tests.logs.formats.test_otlp import CHAT, request, span

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def fresh(**attributes: Any) -> bytes:
    """A request with one chat that has just ended, and one span that is no call."""
    nanos = time.time_ns()
    times: dict[str, Any] = {"start_time_unix_nano": nanos - 2_000_000_000, "end_time_unix_nano": nanos}
    http = span({"http.request.method": "GET"}, span_id=b"12345678", **times)
    return request(span({**CHAT, **attributes}, **times), http)


def as_json(body: bytes) -> bytes:
    return json_format.MessageToJson(ExportTraceServiceRequest.FromString(body)).encode()


@pytest.fixture
def send(client: Client) -> Callable[..., Any]:
    return lambda secret, body, *rest, **more: report(client, "/otlp/v1/traces", secret, body, *rest, **more)


def test_a_chat_becomes_a_call_and_other_spans_are_ignored(
    send: Callable[..., Any], mia: str, cast: Cast
) -> None:
    response = send(mia, fresh(), PROTOBUF)
    assert (response.status_code, response["Content-Type"]) == (200, PROTOBUF)
    assert not ExportTraceServiceResponse.FromString(response.content).partial_success.rejected_spans
    call = Call.objects.get()
    assert (call.model, call.member_id, call.latency_ms) == ("gpt-4o-mini", cast.member.pk, 2000)
    assert "secret" not in str(Call.objects.values().get())


def test_json_and_gzip_are_taken_and_the_same_span_again_changes_nothing(
    send: Callable[..., Any], mia: str
) -> None:
    body = as_json(fresh())
    response = send(mia, body, JSON)
    assert (response.status_code, response["Content-Type"], json.loads(response.content)) == (200, JSON, {})
    again = send(mia, gzip.compress(body), JSON, headers={"Content-Encoding": "gzip"})
    assert again.status_code == 200
    assert Call.objects.count() == 1


def test_a_gateway_reports_for_the_member_that_a_span_names(
    send: Callable[..., Any], team_key: str, cast: Cast
) -> None:
    send(team_key, fresh(), PROTOBUF)
    assert Call.objects.get().member_id == cast.member.pk
    response = send(team_key, fresh(**{"user.email": "otto@example.org", "gen_ai.response.id": "x"}), PROTOBUF)
    assert response.status_code == 403
    assert Call.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [(b"nonsense", PROTOBUF, 400), (b"[]", JSON, 400), (b"{}", "text/plain", 415)],
)
def test_a_body_that_is_no_trace_is_refused(
    send: Callable[..., Any], mia: str, body: bytes, content_type: Any, status: int
) -> None:
    assert send(mia, body, content_type).status_code == status


def test_a_key_is_needed(send: Callable[..., Any], db: None) -> None:
    assert send(None, fresh(), PROTOBUF).status_code == 401
    assert send("cb_live_x", fresh(), PROTOBUF).status_code == 401
