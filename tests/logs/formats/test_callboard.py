"""Callboard's own format, field by field (`docs/api.md`)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from logs.formats.callboard import parse_call, request_id_of
from logs.formats.reported import InvalidRecordError, ReportedCall

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAN = float("nan")


def record(**fields: Any) -> dict[str, Any]:
    least: dict[str, Any] = {"request_id": "r1", "started_at": "2026-11-20T11:59:00Z", "model": "gpt-4o-mini"}
    return {**least, **fields}


def parsed(**fields: Any) -> ReportedCall:
    return parse_call(record(**fields), NOW)


def refusal(**fields: Any) -> InvalidRecordError:
    with pytest.raises(InvalidRecordError) as caught:
        parsed(**fields)
    return caught.value


def test_three_fields_are_enough() -> None:
    assert parsed() == ReportedCall(
        request_id="r1", started_at=datetime(2026, 11, 20, 11, 59, tzinfo=UTC), model="gpt-4o-mini"
    )


def test_every_field_arrives() -> None:
    call = parsed(
        latency_ms=1234, status=503, input_tokens=1000, output_tokens=500, cached_tokens=300,
        cache_write_tokens=20, reasoning_tokens=100, cost_usd="0.000450", ttft_ms=210, stream=True,
        provider="openai", endpoint="chat", channel="azure-east",
        error={"type": "overloaded", "code": "503", "message": "Try later"},
        ip="2001:DB8::1", user_agent="openai-python/2.0", session_id="s-1", tags=["nightly", "eval"],
        metadata={"job": 7}, token="tok_abc", team="harbour", member="mia@example.org", reservation="res_1",
    )  # fmt: skip
    assert call == ReportedCall(
        request_id="r1", started_at=datetime(2026, 11, 20, 11, 59, tzinfo=UTC), model="gpt-4o-mini",
        latency_ms=1234, status=503, input_tokens=1000, output_tokens=500, cached_tokens=300,
        cache_write_tokens=20, reasoning_tokens=100, cost_nanos=450_000, ttft_ms=210, stream=True,
        provider="openai", endpoint="chat", channel="azure-east",
        error_type="overloaded", error_code="503", error_message="Try later", has_error=True,
        ip="2001:db8::1", user_agent="openai-python/2.0", session_id="s-1", tags=["nightly", "eval"],
        metadata={"job": 7}, token="tok_abc", team="harbour", member="mia@example.org", reservation="res_1",
    )  # fmt: skip


def test_null_is_the_same_as_absent() -> None:
    optional = ["latency_ms", "status", "cost_usd", "error", "ip", "tags", "metadata", "stream", "token"]
    assert parsed(**dict.fromkeys(optional)) == parsed()


def test_unknown_fields_are_ignored_whatever_they_hold() -> None:
    assert parsed(colour=NAN, prompt="secret", nested=[[[]]]) == parsed()


@pytest.mark.parametrize("field", ["request_id", "started_at", "model"])
@pytest.mark.parametrize("missing", [None, ""])
def test_a_required_field_must_be_there(field: str, missing: str | None) -> None:
    assert refusal(**{field: missing}).param == field


@pytest.mark.parametrize("bad", [None, 3, "call", [], [record()]])
def test_a_record_must_be_an_object(bad: Any) -> None:
    with pytest.raises(InvalidRecordError, match="object"):
        parse_call(bad, NOW)


BAD_VALUES = {
    "request_id": [7, " ", "x" * 129, "a\0b", "\udcff", ["r"]],
    "model": [7, " ", "x" * 129, "a\0b", "\ud800", {}],
    "started_at": [
        0, 1_700_000_000, "yesterday", "2026-11-20", "2026-11-20T11:59:00", "1970-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2100-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2026-11-20T12:10:01Z", "2026-02-30T00:00:00Z", "2026-11-20T11:59:00Z" + " " * 100, True, "\ud800",
    ],
    "latency_ms": [
        -1, 12.5, Decimal("0.5"), "12", True, NAN, float("inf"), 604_800_001, Decimal("1e999999"), [],
    ],
    "ttft_ms": [-1, "12", False, NAN, 10**12, {}],
    "status": [0, 99, 600, "200", True, -200, Decimal("200.5")],
    "input_tokens": [-1, 10**9 + 1, "10", True, NAN, Decimal("1.5"), 10**4000],
    "output_tokens": [-1, 10**9 + 1, "10", True, NAN],
    "cached_tokens": [-1, 10**9 + 1, "10", True, 1],
    "cache_write_tokens": [-1, 10**9 + 1, "10", True],
    "reasoning_tokens": [-1, 10**9 + 1, "10", True],
    "cost_usd": [
        -1, "-0.01", "free", "", "$1", "1,5", "1_000", " 1", "NaN", "Infinity", "١", NAN, float("inf"), True,
        "10000.01", 10_001, Decimal("1e400"), "1e999999", 10**4000, ["1"], "0x10", "1e9999999999",
    ],
    "stream": [1, 0, "true", []],
    "provider": [1, "x" * 65, "\0"],
    "endpoint": [1, "x" * 65, "\0"],
    "channel": [1, "x" * 65, "\0"],
    "error": ["timeout", True, [], 500],
    "ip": ["localhost", "1.2.3", "300.1.1.1", "", "10.0.0.1, 10.0.0.2", 1, "fe80::1%eth0", "\0", "x" * 10**6],
    "user_agent": [1, "\0", "\udc80"],
    "session_id": [1, "\0", "\udc80"],
    "tags": ["nightly", {"a": 1}, ["x"] * 17, True],
    "metadata": ["text", [], 1, {"a": "x" * 4096}, {"a": NAN}, {"a": "\0"}, {"\0": 1}, {"a": "\ud800"}],
    "token": [1, "x" * 255, "\0"],
    "team": [1, "x" * 255],
    "member": [1, "x" * 255],
    "reservation": [1, "x" * 255],
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "bad"), [(field, bad) for field, values in BAD_VALUES.items() for bad in values], ids=repr
)
def test_a_bad_value_is_refused_and_its_field_named(field: Any, bad: Any) -> None:
    error = refusal(**{field: bad})
    assert error.param == field
    assert str(error).startswith(field)
    assert error.code == "invalid_request"
    assert len(str(error)) < 120, "a message does not repeat what may be a megabyte"


@pytest.mark.parametrize("part", ["type", "code", "message"])
@pytest.mark.parametrize("bad", [1, True, {}, "\0"])
def test_a_bad_part_of_an_error_is_named(part: str, bad: Any) -> None:
    assert refusal(error={part: bad}).param == f"error.{part}"


@pytest.mark.parametrize("bad", [1, None, "x" * 65, "\0"])
def test_a_bad_tag_is_named(bad: int | str | None) -> None:
    assert refusal(tags=["good", bad]).param == "tags[1]"


def test_an_error_even_an_empty_one_makes_a_failure() -> None:
    assert parsed(error={}).has_error
    assert parsed(error={"message": None}).has_error
    assert not parsed(error=None).has_error


def test_long_descriptions_are_cut() -> None:
    call = parsed(
        error={"message": "m" * 1001, "type": "t" * 129, "code": "c" * 129},
        user_agent="u" * 257,
        session_id="s" * 129,
    )
    assert [len(call.error_message), len(call.error_type), len(call.error_code)] == [1000, 128, 128]
    assert [len(call.user_agent), len(call.session_id)] == [256, 128]


@pytest.mark.parametrize("three", [3, 3.0, Decimal("3.0"), Decimal("3e0"), Decimal("0.3e1")])
def test_a_whole_number_may_be_written_with_a_point(three: int | float | Decimal) -> None:
    call = parsed(latency_ms=three)
    assert call.latency_ms == 3
    assert type(call.latency_ms) is int


@pytest.mark.parametrize(
    ("cost", "nanos"),
    [
        ("0.000160", 160_000),
        (Decimal("0.000160"), 160_000),
        (0.1, 100_000_000),
        (1, 10**9),
        (0, 0),
        ("-0", 0),
        ("10000", 10**13),
        (".5", 500_000_000),
        ("1.35e-05", 13_500),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.00000000050000000000000000000000000000000000000000001", 1),
        ("9999.9999999994999999999999999999999999999", 9_999_999_999_999),
        (Decimal("1e-999999999"), 0),
        ("0." + "1" * 100_000, 111_111_111),
    ],
)
def test_cost_becomes_nanos_rounded_half_to_even(cost: Any, nanos: int) -> None:
    assert parsed(cost_usd=cost).cost_nanos == nanos


def test_a_cost_of_nothing_is_not_an_unknown_cost() -> None:
    assert parsed(cost_usd=0).cost_nanos == 0
    assert parsed().cost_nanos is None


@pytest.mark.parametrize(
    "same",
    [
        "2026-11-20T11:59:00Z",
        "2026-11-20t11:59:00z",
        "2026-11-20 11:59:00+00:00",
        "2026-11-20T17:29:00+05:30",
        "2026-11-20T11:59:00.000000000Z",
    ],
)
def test_a_time_is_kept_in_utc(same: str) -> None:
    started_at = parsed(started_at=same).started_at
    assert started_at == datetime(2026, 11, 20, 11, 59, tzinfo=UTC)
    assert started_at.utcoffset() == timedelta(0)


def test_a_time_keeps_its_microseconds() -> None:
    assert parsed(started_at="2023-11-16T18:15:46.680590Z").started_at.microsecond == 680_590


def test_a_clock_may_be_ten_minutes_ahead() -> None:
    assert parsed(started_at="2026-11-20T12:10:00Z").started_at == NOW + timedelta(minutes=10)


def test_cached_tokens_are_part_of_the_input() -> None:
    assert parsed(input_tokens=10, cached_tokens=10).cached_tokens == 10
    assert "input_tokens" in str(refusal(input_tokens=10, cached_tokens=11))


def test_content_in_metadata_is_dropped_at_any_depth() -> None:
    call = parsed(
        metadata={
            "prompt": "secret", "Messages": ["secret"], "job": "nightly",
            "steps": [{"input": "secret", "n": 1}, {"output": "secret", "deep": {"response": "secret"}}],
            "completion": {"text": "secret"},
        }
    )  # fmt: skip
    assert call.metadata == {"job": "nightly", "steps": [{"n": 1}, {"deep": {}}]}


def test_content_does_not_count_for_the_size_of_metadata() -> None:
    assert parsed(metadata={"prompt": "x" * 10_000, "job": 1}).metadata == {"job": 1}


def test_metadata_may_have_4_kib_of_json() -> None:
    fits = {"a": "é" * 2044}  # {"a":"…"}: 8 characters around 4,088 bytes
    assert parsed(metadata=fits).metadata == fits
    assert refusal(metadata={"a": "é" * 2045}).param == "metadata"


def test_numbers_in_metadata_are_plain_numbers() -> None:
    metadata = parsed(metadata={"a": Decimal("0.25"), "b": [1, True, None]}).metadata
    assert metadata == {"a": 0.25, "b": [1, True, None]}
    assert type(metadata["a"]) is float


def test_metadata_is_not_nested_without_end() -> None:
    deep: dict[str, Any] = {}
    for _ in range(900):
        deep = {"a": deep}
    assert refusal(metadata=deep).param == "metadata"


def test_two_calls_never_share_a_list() -> None:
    first, second = parsed(), parsed()
    first.tags.append("mine")
    assert second.tags == []


def test_the_request_id_of_a_bad_record_is_found() -> None:
    assert request_id_of({"request_id": "r1"}) == "r1"
    bad: Any
    for bad in (None, [], {}, {"request_id": 7}, {"request_id": "x" * 129}, {"request_id": "\ud800"}):
        assert request_id_of(bad) is None
