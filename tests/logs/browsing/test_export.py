"""Exports: exactly what is filtered, safe in a spreadsheet, one's own for a member."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from logs.browsing import exports
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def export(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`export("owner", "csv", model="x")`: the rows of the file as dicts."""

    def get(name: str, kind: Any, **asked: Any) -> Any:
        response = client_of(name).get(reverse("logs:export", args=[cast.team.slug]), {"format": kind, **asked})
        if response.status_code != 200:
            return response.status_code
        text = response.getvalue().decode()
        if kind == "csv":
            return list(csv.DictReader(io.StringIO(text, newline="")))
        return [json.loads(line) for line in text.removesuffix("\n").split("\n")]

    return get


def test_csv_and_ndjson_have_every_call_newest_first(
    cast: Cast, record: Any, export: Callable[..., Any]
) -> None:
    record("member", "a", minutes=3, cost_nanos=1_500_000_000, tags=["x"], metadata={"n": 1})
    record("owner", "b", minutes=2, latency_ms=None)
    for kind in ("csv", "ndjson"):
        rows = export("owner", kind)
        assert [row["request_id"] for row in rows] == ["b", "a"]
        assert rows[1]["member"] == "mia@example.org"
        assert (rows[1]["started_at"], rows[1]["cost_usd"]) == ("2026-11-20T11:57:00Z", "1.50")
    assert rows[1]["tags"] == ["x"]
    assert rows[1]["metadata"] == {"n": 1}
    assert rows[0]["latency_ms"] is None


def test_the_filters_apply(record: Any, export: Callable[..., Any]) -> None:
    record("owner", "a", status=500)
    record("owner", "b")
    assert [row["request_id"] for row in export("owner", "csv", outcome="server_error")] == ["a"]


def test_a_member_exports_their_own_calls_only(cast: Cast, record: Any, export: Callable[..., Any]) -> None:
    record("owner", "foreign")
    record("member", "own")
    for asked in ({}, {"member": cast.member.public_id}):
        assert [row["request_id"] for row in export("member", "ndjson", **asked)] == ["own"]
    assert export("member", "ndjson", member=cast.owner.public_id) == 422


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_others_get_nothing(record: Any, export: Callable[..., Any], name: str) -> None:
    assert export(name, "csv") == 404


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "＋1", "－1", "＠x"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_text(
    record: Any, export: Callable[..., Any], text: str
) -> None:
    record("owner", f"{text}id", error_message=text, status=500, model=text)
    row = export("owner", "csv")[0]
    assert (row["request_id"], row["error_message"], row["model"]) == (f"'{text}id", f"'{text}", f"'{text}")
    assert export("owner", "ndjson")[0]["model"] == text


@pytest.mark.parametrize("text", ['"{quoted}" \\ %s %(x)d', "two\nlines", "é\u2028\x85\x7f", "</script>"])
def test_no_character_is_lost_in_lines_of_json(record: Any, export: Callable[..., Any], text: str) -> None:
    record(
        "owner",
        "a",
        error_message=text,
        status=500,
        model=text,
        tags=[text],
        metadata={text: [text, None, 1.5]},
    )
    (row,) = export("owner", "ndjson")
    assert (row["error_message"], row["model"], row["tags"]) == (text, text, [text])
    assert row["metadata"] == {text: [text, None, 1.5]}


def test_chunks_join_without_gap_or_repetition(
    record: Any, export: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 3)
    for n in range(10):
        record("owner", f"r{n}", minutes=n // 2 + 1)
    rows = export("owner", "ndjson")
    assert sorted(row["request_id"] for row in rows) == [f"r{n}" for n in range(10)]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)


def test_an_unknown_format_or_a_wrong_filter_gives_no_file(export: Callable[..., Any]) -> None:
    assert export("owner", "xlsx") == 404
    assert export("owner", "csv", latency_from="x") == 422
