"""Whatever JSON comes as a record: a call within the limits of its columns, or InvalidRecordError."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs.formats.callboard import PARTS, READERS, parse_call, request_id_of
from logs.formats.corrections import read_tokens
from logs.formats.litellm import parse_payload
from logs.formats.otlp import parse_span
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.formats.usage import TOKEN_FIELDS, consistent, langfuse_usage, provider_usage
from logs.models import Call

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXT = st.text(st.characters(codec=None), max_size=20)  # NUL and lone surrogates too
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False)
    | TEXT
    | st.sampled_from(["2026-11-20T11:00:00Z", "10.0.0.1", "mia@example.org", "0.1", 1_790_000_000, 10**400])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10)

CALLBOARD = ["started_at", *READERS]
LITELLM = [
    "litellm_call_id", "id", "startTime", "endTime", "completionStartTime", "stream", "status", "model",
    "model_group", "model_id", "custom_llm_provider", "prompt_tokens", "completion_tokens", "response_cost",
    "response_cost_failure_debug_info", "call_type", "cache_hit", "end_user", "requester_ip_address",
    "user_agent", "session_id", "request_tags", "error_str",
]  # fmt: skip
METADATA = [
    "usage_object", "user_api_key_auth_metadata", "user_api_key_hash", "user_api_key_alias",
    "user_api_key_user_email", "user_api_key_user_id", "spend_logs_metadata", "requester_ip_address",
]  # fmt: skip


def objects(fields: list[str], **more: st.SearchStrategy) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={**dict.fromkeys(fields, VALUES), **more})


def good(**fields: object) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: st.just(value) for name, value in fields.items()})


def merged(
    base: st.SearchStrategy[dict[str, Any]], over: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    """A good record of which a few fields were replaced, so that the rest of the way is tried too."""
    few = over.map(lambda fields: dict(list(fields.items())[:3]))
    return st.builds(lambda left, right: {**left, **right}, base, few)


OWN = merged(good(request_id="r", started_at="2026-11-20T11:00:00Z", model="m"), objects(CALLBOARD))
PAYLOADS = merged(
    good(litellm_call_id="r", startTime=1_790_000_000.5, model="m", prompt_tokens=5),
    objects(
        LITELLM,
        metadata=VALUES | objects(METADATA),
        error_information=objects(["error_code", "error_class", "error_message", "normalized_error"]),
        hidden_params=objects(["usage_object"]),
        response=objects(["model", "service_tier"]),
        cost_breakdown=objects(["service_tier"]),
        model_map_information=objects(["model_map_key"]),
    ),
)
COUNTS = VALUES | st.integers(-5, 10**10) | st.sampled_from(["7", "100.5", "-1", 100.5, 10**9])
USAGE = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ["prompt_tokens", "input_tokens", "cache_read_input_tokens", "input", "output_x"], COUNTS
        ),
        **dict.fromkeys(["prompt_tokens_details", "cache_creation"], VALUES | objects(["cached_tokens"])),
        "completion_tokens_details": VALUES | objects(["reasoning_tokens", "audio_tokens"]),
    },
)


def check(call: ReportedCall) -> None:
    """The call fits its columns, and JSON columns and both databases can store it."""
    for field in Call._meta.concrete_fields:
        value = getattr(call, field.attname, None)
        if isinstance(value, str):
            assert len(value) <= field.max_length
            assert "\0" not in value
            value.encode()
    for name in TOKEN_FIELDS:
        assert 0 <= getattr(call, name) <= 10**9
    for part, whole in PARTS.items():
        assert getattr(call, part) <= getattr(call, whole)
    assert call.started_at.tzinfo is UTC
    assert call.request_id
    assert call.model
    assert call.cost_nanos is None or 0 <= call.cost_nanos <= 10**13
    assert type(call.cost_nanos) in {int, type(None)}


def parse(parser: Any, record: object) -> None:
    with suppress(InvalidRecordError):
        check(parser(record, NOW))


@pytest.mark.parametrize("parser", [parse_call, parse_payload, parse_span])
@given(record=VALUES)
def test_any_value_is_a_call_or_refused(parser: Any, record: Any) -> None:
    parse(parser, record)
    request_id_of(record)


@given(record=OWN)
def test_any_value_in_any_field_of_ours_is_a_call_or_refused(record: Any) -> None:
    parse(parse_call, record)


@given(record=PAYLOADS)
def test_any_value_in_any_field_of_litellm_is_a_call_or_refused(record: Any) -> None:
    parse(parse_payload, record)


@given(usage=USAGE, prompt=COUNTS, cost=COUNTS, start=st.just(1_790_000_000.5) | VALUES, end=COUNTS)
def test_whatever_is_counted_a_payload_with_a_time_is_a_call(
    usage: Any, prompt: Any, cost: Any, start: Any, end: Any
) -> None:
    """Only what has no time is rejected."""
    payload = {
        "litellm_call_id": "r", "startTime": start, "endTime": end, "model": "m", "prompt_tokens": prompt,
        "response_cost": cost, "metadata": {"usage_object": usage},
    }  # fmt: skip
    if start == 1_790_000_000.5:
        check(parse_payload(payload, NOW))
    else:
        parse(parse_payload, payload)


@given(usage=USAGE)
def test_whatever_langfuse_counts_is_tokens(usage: Any) -> None:
    notes: list[str] = []
    for tokens in (
        langfuse_usage(usage, notes, "usage_details"),
        {name: read_tokens(name, value, notes) for name, value in provider_usage(usage).items()},
    ):
        assert all(0 <= value <= 10**9 for value in consistent(tokens, {}, notes).values())
