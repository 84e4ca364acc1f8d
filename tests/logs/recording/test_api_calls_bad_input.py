"""Bad input: every such record gets its error and is not stored; the good ones beside it are."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from logs.models import Call
from tests.logs.conftest import record

FIELDS = [
    # wrong types
    ("request_id", 7),
    ("request_id", None),
    ("request_id", ""),
    ("request_id", ["r"]),
    ("model", {"name": "gpt"}),
    ("model", "   "),
    ("started_at", 1_790_000_000),
    ("started_at", "yesterday"),
    ("started_at", "2026-01-01T00:00:00"),
    ("latency_ms", "820"),
    ("latency_ms", True),
    ("latency_ms", 1.5),
    ("status", "200"),
    ("stream", "yes"),
    ("error", "broken"),
    ("tags", "nightly"),
    ("tags", ["x"] * 17),
    ("metadata", []),
    ("ip", "localhost"),
    # negative and absurd numbers
    ("latency_ms", -1),
    ("input_tokens", -1),
    ("input_tokens", 10**9 + 1),
    ("output_tokens", 10**30),
    ("cached_tokens", 1001),
    ("ttft_ms", 10**12),
    ("status", 0),
    ("status", 99_999),
    ("cost_usd", "-0.01"),
    ("cost_usd", "1e30"),
    ("cost_usd", "NaN"),
    ("cost_usd", "many"),
    # dates
    ("started_at", "1970-01-01T00:00:00Z"),
    ("started_at", "2100-01-01T00:00:00Z"),
    ("started_at", "0001-01-01T00:00:00+14:00"),
    ("started_at", "9999-12-31T23:59:59-14:00"),
    ("started_at", (datetime.now(UTC) + timedelta(minutes=20)).isoformat()),
    # size, NUL
    ("request_id", "x" * 129),
    ("model", "x" * 1_000_000),
    ("provider", "x" * 65),
    ("metadata", {"text": "x" * 5000}),
    ("request_id", "a\0b"),
    ("model", "gpt\0"),
    ("error", {"message": "\0"}),
    ("metadata", {"key": {"deep": "\0"}}),
    ("user_agent", "\ud800"),
]


@pytest.mark.parametrize(
    ("field", "value"), FIELDS, ids=[f"{n}-{field}" for n, (field, _) in enumerate(FIELDS)]
)
def test_a_bad_field_is_named_and_only_its_record_is_left_out(
    post: Callable[..., Any], mia: str, field: str, value: Any
) -> None:
    bad = record("bad") | {field: value}
    answer = post(mia, [record("first"), bad, record("last")]).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 0)
    (rejected,) = answer["rejected"]
    assert (rejected["index"], rejected["code"]) == (1, "invalid_request")
    assert rejected["param"].split(".")[0] == field
    assert len(rejected["message"]) < 200
    assert set(Call.objects.values_list("request_id", flat=True)) == {"first", "last"}


RAW = {
    "NaN": b'"latency_ms": NaN',
    "Infinity": b'"cost_usd": Infinity',
    "a number of a million digits": b'"input_tokens": ' + b"9" * 1_000_000,
    "an exponent without end": b'"cost_usd": 1e999999999',
    "broken UTF-8": b'"model": "gpt\xff\xfe"',
    "half a surrogate": b'"model": "gpt\\ud800"',
    "deep nesting": b'"metadata": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested lists": b'"metadata": {"a": ' + b"[" * 1000 + b"]" * 1000 + b"}",
}


@pytest.mark.parametrize("lines", [False, True], ids=["array", "lines"])
@pytest.mark.parametrize("name", RAW)
def test_what_json_cannot_say_costs_only_its_own_record(
    post: Callable[..., Any], mia: str, name: Any, lines: bool
) -> None:
    least = {key: record()[key] for key in ("started_at", "model")}
    bad = json.dumps({"request_id": "bad", **least}).encode()[:-1] + b", " + RAW[name] + b"}"
    parts = [json.dumps(record("first")).encode(), bad, json.dumps(record("last")).encode()]
    if lines:
        response = post(mia, b"\n".join(parts), "application/x-ndjson")
    else:
        response = post(mia, b"[" + b",".join(parts) + b"]")
    assert response.status_code == 200, response.content
    answer = response.json()
    assert answer["accepted"] == 2
    assert [bad["index"] for bad in answer["rejected"]] == [1]
    assert set(Call.objects.values_list("request_id", flat=True)) == {"first", "last"}


def test_a_gzip_bomb_is_refused_unread(post: Callable[..., Any], mia: str) -> None:
    bomb = gzip.compress(b"\0" * 2**28)
    assert len(bomb) < 300_000
    response = post(mia, bomb, headers={"Content-Encoding": "gzip"})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_the_greatest_values_that_are_taken_keep_the_statistics_exact(
    post: Callable[..., Any], mia: str, capsys: pytest.CaptureFixture[str]
) -> None:
    most: dict[str, Any] = dict.fromkeys(
        ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens"), 10**9
    )
    week = 7 * 24 * 3600 * 1000
    greatest: dict[str, Any] = {
        "reasoning_tokens": 10**9,
        "latency_ms": week,
        "ttft_ms": week,
        "cost_usd": "10000",
    }
    batch = [record(f"r{n}", **most, **greatest) for n in range(3)]
    assert post(mia, batch).json()["accepted"] == 3
    call_command("verify_usage")
    assert "3 calls, no difference" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["ünïcödé", "日本語", "🚀" * 16, "<script>alert(1)</script>", "'; DROP TABLE x; --"]
)
def test_any_text_is_only_text(post: Callable[..., Any], mia: str, text: str) -> None:
    assert post(mia, record(text, model=text, tags=[text], metadata={text: text})).json()["accepted"] == 1
    call = Call.objects.get()
    assert (call.request_id, call.model, call.tags, call.metadata) == (text, text, [text], {text: text})
