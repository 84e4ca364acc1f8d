"""OTLP traces: which spans are calls, what they say, in protobuf and JSON, and the answers."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from logs.formats.bodies import MAX_RECORDS, BodyError
from logs.formats.dialects import FIRST_CHUNK_EVENT, READ
from logs.formats.otlp import JSON, PROTOBUF, answer, parse_span, read_spans, refusal
from logs.formats.reported import InvalidRecordError, ReportedCall

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
START = 1_795_175_940_250_000_999  # 2026-11-20 11:59:00.250000999 UTC
TRACE_ID = bytes.fromhex("5b8efff798038103d269b633813fc60c")
SPAN_ID = bytes.fromhex("eee19b7ec3c1b174")
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 200,
    "gen_ai.usage.cache_read.input_tokens": 300,
    "gen_ai.usage.cache_creation.input_tokens": 20,
    "gen_ai.usage.reasoning.output_tokens": 50,
    "gen_ai.input.messages": "secret",
    "server.address": "api.openai.com",
    "session.id": "s-1",
    "user.email": "mia@example.org",
}


def pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    kinds: dict[type, str] = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    return [
        KeyValue(key=key, value=AnyValue(**{kinds[type(value)]: value}) if value is not None else None)
        for key, value in attributes.items()
    ]


def span(attributes: dict[str, Any], **fields: Any) -> Span:
    about: dict[str, Any] = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "name": "chat gpt-4o-mini",
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 1_200_400_000,
        **fields,
    }
    return Span(attributes=pairs(attributes), **about)


def request(*spans: Span, **resource: Any) -> bytes:
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    group.resource.attributes.extend(pairs({"service.name": "shop", **resource}))
    return ExportTraceServiceRequest(resource_spans=[group]).SerializeToString()


def calls(*spans: Span, **resource: Any) -> list[ReportedCall]:
    return [parse_span(record, NOW) for record in read_spans(request(*spans, **resource), PROTOBUF)]


def call(more: dict[str, Any] | None = None, without: str = "", **fields: Any) -> ReportedCall:
    attributes = {name: value for name, value in {**CHAT, **(more or {})}.items() if name != without}
    [one] = calls(span(attributes, **fields))
    return one


EXPECTED = ReportedCall(
    request_id="chatcmpl-1", started_at=datetime(2026, 11, 20, 11, 59, 0, 250_000, tzinfo=UTC),
    model="gpt-4o-mini", latency_ms=1200, input_tokens=1000, output_tokens=200, cached_tokens=300,
    cache_write_tokens=20, reasoning_tokens=50, provider="openai", endpoint="chat", channel="api.openai.com",
    session_id="s-1", member="mia@example.org",
    metadata={"service": "shop", "response_model": "gpt-4o-mini-2024-07-18", "trace_id": TRACE_ID.hex()},
    response_model="gpt-4o-mini-2024-07-18",
)  # fmt: skip


def test_a_chat_span_is_a_call() -> None:
    assert call() == EXPECTED


def test_json_says_the_same_as_protobuf() -> None:
    """As the specification writes it: hex ids, numbers as strings, attributes as typed values."""
    attributes = [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in CHAT.items()
    ]
    one = {
        "traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex(), "name": "chat", "kind": 3, "attributes": attributes,
        "startTimeUnixNano": str(START), "endTimeUnixNano": str(START + 1_200_400_000), "status": {},
        "aFieldOfTheFuture": [1],
    }  # fmt: skip
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    body = {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [one]}]}]}
    [record] = read_spans(json.dumps(body).encode(), JSON)
    assert parse_span(record, NOW) == EXPECTED
    del attributes[list(CHAT).index("gen_ai.response.id")]
    [record] = read_spans(json.dumps(body).encode(), JSON)
    assert parse_span(record, NOW).request_id == f"{TRACE_ID.hex()}-{SPAN_ID.hex()}"


def test_old_names_are_understood() -> None:
    [one] = calls(
        span(
            {
                "gen_ai.system": "anthropic",
                "gen_ai.response.model": "claude",
                "gen_ai.usage.prompt_tokens": 7,
                "gen_ai.usage.completion_tokens": 8,
                "gen_ai.conversation.id": "talk-1",
                "enduser.id": "mia@example.org",
                "llm.request.type": "completion",
            }
        )
    )
    assert (one.provider, one.model, one.input_tokens, one.output_tokens) == ("anthropic", "claude", 7, 8)
    assert (one.session_id, one.member, one.endpoint) == ("talk-1", "mia@example.org", "chat")


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.request.method": "POST"},
        {"gen_ai.request.model": ""},
        {"gen_ai.request.model": None},
        *({**CHAT, "gen_ai.operation.name": name} for name in ("invoke_agent", "execute_tool", "create_agent")),
    ],
)
def test_other_spans_are_ignored(attributes: dict[str, Any] | dict[str, str] | dict[str, None]) -> None:
    assert calls(span(attributes)) == []


def test_of_the_ten_spans_that_litellm_makes_one_is_the_call() -> None:
    names = ["Received Proxy Server Request", "auth", "router", "self", "proxy_pre_call", "redis", "postgres",
             "batch_write_to_db", "raw_gen_ai_request"]  # fmt: skip
    others = [span({"call_type": "acompletion", "llm.openai.id": "chatcmpl-1"}, name=name) for name in names]
    [one] = calls(*others, span({**CHAT, "gen_ai.operation.name": "acompletion"}, name="litellm_request"))
    assert (one.request_id, one.endpoint) == ("chatcmpl-1", "chat")


def test_a_stream_tells_its_first_chunk_in_seconds() -> None:
    one = call({"gen_ai.response.time_to_first_chunk": 0.2104, "gen_ai.request.stream": True})
    assert (one.stream, one.ttft_ms) == (True, 210)
    assert call({"llm.is_streaming": "True"}).stream
    assert not call({"llm.is_streaming": "False"}).stream
    assert call({"gen_ai.response.time_to_first_chunk": float("nan")}).ttft_ms is None


def test_a_span_without_a_response_id_is_known_by_its_own() -> None:
    own = f"{TRACE_ID.hex()}-{SPAN_ID.hex()}"
    assert call(without="gen_ai.response.id").request_id == own
    assert call({"gen_ai.response.id": "x" * 129}).request_id == own


def test_attempts_that_failed_are_calls_of_their_own() -> None:
    """LiteLLM writes the same response id on each."""
    failed = {**CHAT, "error.type": "500"}
    found = calls(span(failed), span(failed, span_id=b"another1"), span(CHAT))
    assert len({one.request_id for one in found}) == 3


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        ({"error.type": "429"}, 429),
        ({"error.type": "openai.RateLimitError"}, 429),
        ({"error.type": "AuthenticationError"}, 401),
        ({"error.type": "timeout"}, 500),
        ({"error.type": "_OTHER", "http.response.status_code": 404}, 404),
        ({"http.response.status_code": 503}, 503),
        ({"error.type": "200"}, 500),
    ],
)
def test_a_failure_has_the_status_that_its_error_tells(
    attributes: dict[str, str] | dict[str, Any] | dict[str, int], status: int
) -> None:
    one = call(attributes)
    assert (one.status, one.has_error) == (status, True)


def test_a_span_that_failed_says_why() -> None:
    one = call(status=Status(code=Status.STATUS_CODE_ERROR, message="It broke"))
    assert (one.status, one.has_error, one.error_message) == (500, True, "It broke")


def test_an_exception_says_why_where_the_status_does_not() -> None:
    about = {"exception.type": "openai.RateLimitError", "exception.message": "Slow down"}
    event = Span.Event(name="exception", attributes=pairs(about))
    one = call(status=Status(code=Status.STATUS_CODE_ERROR), events=[event])
    assert (one.status, one.error_type, one.error_message) == (429, "openai.RateLimitError", "Slow down")


def test_a_status_of_200_is_no_failure() -> None:
    assert not call({"http.response.status_code": 200}).has_error


def test_the_caller_may_stand_on_the_resource() -> None:
    [one] = calls(span({"gen_ai.request.model": "m"}), **{"callboard.token": "tok_1"})
    assert one.token == "tok_1"
    [one] = calls(
        span({"gen_ai.request.model": "m"}),
        **{"callboard.team": "harbour", "callboard.member": "mia@example.org"},
    )
    assert (one.team, one.member) == ("harbour", "mia@example.org")


def test_a_user_who_is_no_address_is_kept_as_a_note() -> None:
    one = call({"user.id": "u-7"}, without="user.email")
    assert (one.member, one.metadata["user_id"]) == ("", "u-7")


def test_cost_is_read_where_litellm_writes_it() -> None:
    assert call({"gen_ai.cost.total_cost": 1.35e-05}).cost_nanos == 13_500
    assert call().cost_nanos is None


def test_an_end_before_the_start_makes_the_latency_unknown() -> None:
    assert call(end_time_unix_nano=0).latency_ms is None


def test_content_is_not_kept() -> None:
    assert "secret" not in repr(call())


@pytest.mark.parametrize(
    ("attributes", "fields", "param"),
    [
        ({}, {"start_time_unix_nano": 0}, "startTimeUnixNano"),
        ({}, {"start_time_unix_nano": 2**64 - 1}, "startTimeUnixNano"),
        ({"error.type": "500"}, {"span_id": b""}, "spanId"),
    ],
)
def test_a_bad_value_is_refused_under_its_attribute(
    attributes: dict[str, Any] | dict[str, str], fields: dict[str, int] | dict[str, bytes], param: str
) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        call(attributes, **fields)
    assert caught.value.param == param
    assert param in str(caught.value)


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize(
    "body",
    [b"\xff", b"nonsense", b"[", b"[]x", b'"text"', b"[]", b'{"resourceSpans": 7}',
     b'{"resourceSpans": ' * 5000, b"\x0a" * 5000,
     b'{"resourceSpans": [{"resource": {"attributes": [{"key": "\\ud800"}]}}]}',
     b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7}]}]}]}'],
    ids=range(11),
)  # fmt: skip
def test_a_body_that_is_not_traces_is_400(body: bytes, content_type: str) -> None:
    with pytest.raises(BodyError) as caught:
        read_spans(body, content_type)
    assert (caught.value.status, caught.value.code) == (400, "invalid_json")


def test_an_empty_body_is_no_spans() -> None:
    assert read_spans(b"", PROTOBUF) == []
    assert read_spans(b"{}", JSON) == []


def test_more_calls_than_allowed_at_once_are_413() -> None:
    small = span({"gen_ai.request.model": "m"})
    with pytest.raises(BodyError) as caught:
        read_spans(request(*[small] * (MAX_RECORDS + 1)), PROTOBUF)
    assert caught.value.status == 413


def test_the_answer_names_what_was_rejected() -> None:
    told = ExportTraceServiceResponse.FromString(answer(["one", "two"], PROTOBUF))
    assert (told.partial_success.rejected_spans, told.partial_success.error_message) == (2, "one; two")
    expected = {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "one"}}
    assert json.loads(answer(["one"], JSON)) == expected


def test_success_is_an_empty_answer() -> None:
    assert answer([], PROTOBUF) == b""
    assert json.loads(answer([], JSON)) == {}


def test_a_refusal_is_a_status_with_a_message() -> None:
    assert json.loads(refusal("Send a key", JSON)) == {"message": "Send a key"}
    assert refusal("Send a key", PROTOBUF) == b"\x12\x0aSend a key", "field 2 of google.rpc.Status"


def rejection(record: Any) -> str | None:
    """The attribute for which a span is rejected; None for a call, which has an id that fits."""
    try:
        parsed = parse_span(record, NOW)
    except InvalidRecordError as error:
        return error.param
    assert 1 <= len(parsed.request_id) <= 128
    return None


TEXTS = st.sampled_from(
    ["7", "100.5", "-1", '{"input": 5}', '{"input": [', "{'prompt_tokens_details': {'cached_tokens': 10.5}}", "LLM",
     "2026-11-20T11:59:01Z", '"0001-01-01T00:00:00+23:59"', "generation", "tok_1", "RateLimitError"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text()


@given(
    attributes=st.dictionaries(st.sampled_from(sorted(READ)) | st.text(), SCALARS | TEXTS),
    start=st.integers(0, 2**64 - 1) | st.just(START),
    end=st.integers(0, 2**64 - 1),
    ids=st.binary(max_size=20),
    as_json=st.booleans(),
)
def test_any_span_is_a_call_refused_or_ignored(
    attributes: Any, start: Any, end: int, ids: bytes, as_json: bool
) -> None:
    one = span(
        {**CHAT, **attributes}, start_time_unix_nano=start, end_time_unix_nano=end, trace_id=ids, span_id=ids,
        events=[Span.Event(name=FIRST_CHUNK_EVENT, time_unix_nano=end)],
    )  # fmt: skip
    body = request(one)
    if as_json:
        body = json_format.MessageToJson(ExportTraceServiceRequest.FromString(body)).encode()
    for record in read_spans(body, JSON if as_json else PROTOBUF):
        blamed = rejection(record)
        assert blamed in {None, "startTimeUnixNano", "spanId"}, "whatever has a time and an id is a call"


@given(body=st.binary(), content_type=st.sampled_from([PROTOBUF, JSON]))
def test_any_bytes_are_spans_or_a_body_error(body: bytes, content_type: Any) -> None:
    with suppress(BodyError):
        assert isinstance(read_spans(body, content_type), list)
