"""Records from files: NDJSON by line, arrays by place, plain or gzip, and files that break off."""

import gzip
import itertools
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from logs.formats.reported import InvalidRecordError
from logs.recording.files import FileError, file_records


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Any]:
    def make(data: bytes, name: str = "calls") -> Any:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return make


@pytest.mark.parametrize("packed", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
class TestFormats:
    def test_lines_come_with_their_numbers(self, file: Callable[..., Any], packed: Any) -> None:
        path = file(packed(b'\xef\xbb\xbf\n{"a": 1}\n\nnonsense\n{"a": 2}'))
        (first, one), (second, bad), (third, two) = file_records(path)
        assert (first, one, second, third, two) == (2, {"a": 1}, 4, 5, {"a": 2})
        assert isinstance(bad, InvalidRecordError)

    def test_an_array_comes_with_places(self, file: Callable[..., Any], packed: Any) -> None:
        path = file(packed(b'\n [\n {"a": 1},\n {"a": 2}]'))
        assert list(file_records(path)) == [(1, {"a": 1}), (2, {"a": 2})]

    def test_an_empty_file_holds_nothing(self, file: Callable[..., Any], packed: Any) -> None:
        assert list(file_records(file(packed(b"")))) == []


def test_a_broken_array_is_an_error(file: Callable[..., Any]) -> None:
    with pytest.raises(FileError, match="not JSON"):
        list(file_records(file(b'[{"a": 1},')))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        list(file_records(tmp_path / "missing"))


def test_a_gzip_file_that_breaks_off_gives_what_it_held(file: Callable[..., Any]) -> None:
    lines = b"".join(b'{"n": %d}\n' % n for n in range(100_000))
    packed = gzip.compress(lines)
    found = file_records(file(packed[: len(packed) // 2]))
    assert [record for _line, record in itertools.islice(found, 2)] == [{"n": 0}, {"n": 1}]
    with pytest.raises(FileError, match="after record"):
        list(found)


def test_a_line_too_long_for_a_record_is_refused_and_the_next_one_read(file: Callable[..., Any]) -> None:
    long = json.dumps({"a": "x" * 17 * 1024**2}).encode()
    (first, bad), (second, good) = file_records(file(long + b'\n{"a": 1}\n'))
    assert (first, second, good) == (1, 2, {"a": 1})
    assert isinstance(bad, InvalidRecordError)


def test_lines_are_read_in_constant_memory(file: Callable[..., Any]) -> None:
    path = file(gzip.compress(b'{"request_id": "r", "model": "m"}\n' * 500_000, 1))
    tracemalloc.start()
    count = sum(1 for _ in itertools.islice(file_records(path), 100_000))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 1024**2
