"""What a price needs beside model and tokens, in Callboard's own format."""

from datetime import UTC, datetime
from typing import Any

import pytest

from logs.formats.callboard import parse_call
from logs.formats.reported import InvalidRecordError, ReportedCall

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def parsed(**fields: Any) -> ReportedCall:
    tokens = {"input_tokens": 1000, "output_tokens": 500, "cache_write_tokens": 200}
    least = {"request_id": "r1", "started_at": "2026-11-20T11:59:00Z", "model": "prod-chat"}
    return parse_call(least | tokens | fields, NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("response_model", "gpt-4o-mini-2024-07-18"),
        ("response_model", "x" * 256),
        ("service_tier", "default"),
        ("service_tier", "flex"),
        ("service_tier", "priority"),
        ("service_tier", "batch"),
        ("cache_write_1h_tokens", 200),
        ("input_audio_tokens", 1000),
        ("output_audio_tokens", 500),
    ],
)
def test_a_field_is_read_and_stored_with_the_call(field: str, value: str | int) -> None:
    call = parsed(**{field: value})
    assert getattr(call, field) == value
    assert call.details == {field: value}


def test_nothing_is_stored_where_nothing_is_said() -> None:
    assert parsed().details is None
    assert parsed(response_model=None, service_tier=None, cache_write_1h_tokens=0).details is None


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("response_model", "x" * 257),
        ("response_model", 7),
        ("response_model", "a\0b"),
        ("service_tier", "fast"),
        ("service_tier", ""),
        ("service_tier", ["flex"]),
        ("cache_write_1h_tokens", 201),
        ("cache_write_1h_tokens", -1),
        ("cache_write_1h_tokens", "5"),
        ("input_audio_tokens", 1001),
        ("input_audio_tokens", True),
        ("output_audio_tokens", 501),
        ("output_audio_tokens", 1.5),
    ],
)
def test_a_bad_value_is_refused_and_its_field_named(field: str, bad: Any) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        parsed(**{field: bad})
    assert caught.value.param == field
    assert field in str(caught.value)
