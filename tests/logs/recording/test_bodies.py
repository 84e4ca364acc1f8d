"""From the bytes of a request to records: formats, encodings, limits, and what is refused as a whole."""

import gzip
import io
import json
import tracemalloc
import zlib
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.http import UnreadablePostError
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from logs.formats.bodies import MAX_BYTES, MAX_RECORDS, BodyError, read_bytes, read_records
from logs.formats.reported import InvalidRecordError

JSON = "application/json"
NDJSON = "application/x-ndjson"


def post(body: bytes, content_type: str = JSON, encoding: str | None = None) -> Any:
    sent: dict[str, Any] = {"CONTENT_TYPE": content_type, "HTTP_CONTENT_ENCODING": encoding or ""}
    return RequestFactory().generic("POST", "/api/v1/calls", body, **sent)


def records(body: bytes, content_type: str = JSON, encoding: str | None = None, **options: Any) -> list[Any]:
    return read_records(post(body, content_type, encoding), **options)


def refusal(body: bytes, content_type: str = JSON, encoding: str | None = None, **options: Any) -> BodyError:
    with pytest.raises(BodyError) as caught:
        records(body, content_type, encoding, **options)
    return caught.value


def error_in(record: object) -> str:
    assert isinstance(record, InvalidRecordError)
    return record.code


def test_one_record_an_array_and_lines_are_read() -> None:
    assert records(b'{"a": 1}') == [{"a": 1}]
    assert records(b' [{"a": 1}, {"a": 2}] ') == [{"a": 1}, {"a": 2}]
    assert records(b'{"a": 1}\n\n{"a": 2}\r\n', NDJSON) == [{"a": 1}, {"a": 2}]
    assert records(b"[]") == []
    assert records(b"", NDJSON) == []


def test_the_content_type_may_have_parameters_and_capitals() -> None:
    assert records(b"{}", "Application/JSON; charset=utf-8") == [{}]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "a" * 1000])
def test_other_content_types_are_415(content_type: str) -> None:
    error = refusal(b"{}", content_type)
    assert (error.status, error.code) == (415, "unsupported_media_type")
    assert JSON in str(error)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "nonsense"])
def test_other_encodings_are_415(encoding: str) -> None:
    error = refusal(b"{}", encoding=encoding)
    assert (error.status, error.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_is_understood(encoding: str) -> None:
    assert records(gzip.compress(b'{"a": 1}'), encoding=encoding) == [{"a": 1}]
    assert records(gzip.compress(b'{"a": 1}\n') * 3, NDJSON, encoding) == [{"a": 1}] * 3


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", gzip.compress(b"{}")[:-1], gzip.compress(b"{}") + b"x", zlib.compress(b"{}")],
    ids=["empty", "plain", "cut off", "followed by something", "zlib"],
)
def test_what_is_not_gzip_though_it_says_so_is_400(body: Any) -> None:
    error = refusal(body, encoding="gzip")
    assert (error.status, error.code) == (400, "invalid_json")


def test_money_stays_exact() -> None:
    assert records(b'{"cost_usd": 0.1000000000000000000001}') == [
        {"cost_usd": Decimal("0.1000000000000000000001")}
    ]


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    assert records(b'{"a": 1, "a": 2}') == [{"a": 2}]


def test_a_byte_order_mark_is_no_harm() -> None:
    assert records(b'\xef\xbb\xbf{"a": 1}') == [{"a": 1}]
    assert records(b'\xef\xbb\xbf{"a": 1}\n', NDJSON) == [{"a": 1}]


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b'{"a": 1', b"[1,", b"[{}] x", b"nonsense", b"{'a': 1}", b'{"a": tru}', b"\0", b"\xff",
     '{"a": 1}'.encode("utf-16"), b'{"a": 1}\n{"a": 2}', b"[" * 100_000, b"[[[" + b'"\\"' * 10],
)  # fmt: skip
def test_what_is_not_json_is_400(body: bytes) -> None:
    error = refusal(body)
    assert (error.status, error.code) == (400, "invalid_json")
    assert len(str(error)) < 200


def test_lines_may_say_that_they_are_json_where_litellm_does() -> None:
    lines = b'{"a": 1}\n{"a": 2}\n{"a": '
    first, second, third = records(lines, json_may_be_lines=True)
    assert [first, second, error_in(third)] == [{"a": 1}, {"a": 2}, "invalid_json"]
    assert records(b'[{"a": 1}]', json_may_be_lines=True) == [{"a": 1}]
    assert refusal(b'{\n"a": 1', json_may_be_lines=True).code == "invalid_json"
    assert refusal(b'{"a": 1', json_may_be_lines=True).code == "invalid_json"


HARD_TO_READ = [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b"9" * 5000,
                b"1e99999999999999999999"]  # fmt: skip


@pytest.mark.parametrize("bad", HARD_TO_READ, ids=["lists", "objects", "digits", "exponent"])
def test_deep_nesting_and_long_numbers_cost_only_their_own_record(bad: bytes) -> None:
    tricky = b'{"text": "a, [b] {c} \\" d\\\\"}'
    body = b"[" + tricky + b' , {"x": ' + bad + b"}," + tricky + b"]"
    first, second, third = records(body)
    assert first == third == {"text": 'a, [b] {c} " d\\'}
    assert error_in(second) == "invalid_json"
    assert error_in(records(bad)[-1]) == "invalid_json"
    assert error_in(records(b"{}\n" + bad + b"\n{}", NDJSON)[1]) == "invalid_json"


def test_nan_and_broken_utf8_are_left_to_the_field_that_has_them() -> None:
    first, second, third = records(b'[{"a": NaN}, {"b": "\xff"}, {"c": 3}]')
    assert first["a"] != first["a"]
    assert second == {"b": "\udcff"}
    assert third == {"c": 3}


def test_a_bad_line_costs_only_itself() -> None:
    good, bad, other = records(b'{"a": 1}\n{"a": \n{"a": "\xe2\x80\xa8\x0c"}', NDJSON)
    assert (good, error_in(bad)) == ({"a": 1}, "invalid_json")
    assert error_in(other) == "invalid_json", "a control character must be escaped"
    assert records('{"a": "\u2028"}\n'.encode(), NDJSON) == [{"a": "\u2028"}]


def test_sixteen_mib_are_read_and_not_a_byte_more() -> None:
    assert len(read_bytes(post(b" " * MAX_BYTES))) == MAX_BYTES
    assert len(read_bytes(post(gzip.compress(b" " * MAX_BYTES, 1), encoding="gzip"))) == MAX_BYTES
    for error in (
        refusal(b" " * (MAX_BYTES + 1)),
        refusal(gzip.compress(b" " * (MAX_BYTES + 1), 1), encoding="gzip"),
    ):
        assert (error.status, error.code) == (413, "too_large")


def test_a_gzip_bomb_costs_no_memory() -> None:
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=1) as file:
        for _ in range(256):
            file.write(b"\0" * 1024 * 1024)
    request = post(bomb.getvalue(), encoding="gzip")
    tracemalloc.start()
    with pytest.raises(BodyError, match="16 MiB"):
        read_bytes(request)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * MAX_BYTES


def test_a_million_empty_members_are_refused() -> None:
    assert refusal(gzip.compress(b"") * 100_000, encoding="gzip").status == 400


def test_ten_thousand_records_are_taken_and_not_one_more() -> None:
    assert len(records(b"[" + b",".join([b"{}"] * MAX_RECORDS) + b"]")) == MAX_RECORDS
    assert len(records(b"{}\n" * MAX_RECORDS, NDJSON)) == MAX_RECORDS
    for error in (
        refusal(b"[" + b",".join([b"{}"] * (MAX_RECORDS + 1)) + b"]"),
        refusal(b"{}\n" * (MAX_RECORDS + 1), NDJSON),
        refusal(b"{}\n" * (MAX_RECORDS + 1), json_may_be_lines=True),
    ):
        assert (error.status, error.code) == (413, "too_large")


def test_a_body_of_nothing_but_brackets_is_not_unfolded_in_memory() -> None:
    assert refusal(b"[" + b"[]," * 5_000_000 + b"[]]").status == 413
    assert refusal(b'{"a":' * 3_000_000).status == 413


def test_a_sender_who_hangs_up_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    request = post(b"{}")

    def fail(size: Any) -> None:
        raise UnreadablePostError("connection reset")

    monkeypatch.setattr(request, "read", fail)
    with pytest.raises(BodyError) as caught:
        read_records(request)
    assert caught.value.status == 400


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
ALMOST_JSON = st.builds(
    lambda value, cut, junk: (text := json.dumps(value).encode())[: cut % (len(text) + 1)] + junk,
    JSON_VALUES, st.integers(0), st.binary(max_size=5),
)  # fmt: skip


@given(
    body=st.binary() | ALMOST_JSON | ALMOST_JSON.map(gzip.compress),
    content_type=st.sampled_from([JSON, NDJSON, "text/plain"]),
    encoding=st.sampled_from([None, "gzip", "br"]),
    lines=st.booleans(),
)
def test_any_bytes_are_records_or_a_body_error(
    body: Any, content_type: Any, encoding: Any, lines: bool
) -> None:
    with suppress(BodyError):
        for record in records(body, content_type, encoding, json_may_be_lines=lines):
            assert not isinstance(record, Exception) or error_in(record) == "invalid_json"


@given(values=st.lists(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans())))
def test_what_json_wrote_is_read_back(values: Any) -> None:
    assert records(json.dumps(values).encode()) == values
    assert records("\n".join(map(json.dumps, values)).encode(), NDJSON) == values
