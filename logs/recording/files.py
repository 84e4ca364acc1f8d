"""Reads the records of files on disk: NDJSON or a JSON array, plain or gzip."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from logs.formats.bodies import MAX_BYTES
from logs.formats.parsing import NotJsonError, Record, document_records, line_records

_GZIP: Final = b"\x1f\x8b"
_HEAD: Final = 4096  # enough to see past leading blanks whether an array begins
_LONGEST_LINE: Final = MAX_BYTES


class FileError(Exception):
    """A file that cannot be read, or not to its end.

    The message gives the reason and, where known, the number of the last record that was read.
    """


def file_records(path: Path) -> Iterator[tuple[int, Record]]:
    """Yields (number, record) for each record of a file, numbered from 1.

    The number is the line in NDJSON, or the position in an array. NDJSON is read line by line, in constant
    memory; an array is read as a whole. A record is the parsed JSON value, or the `InvalidRecordError` that
    rejects it. Raises `FileError`, possibly after some records.
    """
    number = 0
    try:
        with _opened(path) as file:
            for number, record in _records(file):
                yield number, record
    except NotJsonError as error:
        raise FileError(f"{path}: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        values = {"path": path, "number": number, "error": error}
        raise FileError(_("%(path)s: cannot be read after record %(number)d: %(error)s") % values) from error


def _opened(path: Path) -> io.BufferedIOBase:
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP
    return gzip.open(path, "rb") if is_gzip else path.open("rb")


def _records(file: io.BufferedIOBase) -> Iterator[tuple[int, Record]]:
    head = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(0)
    if head.startswith(b"["):
        return enumerate(document_records(file.read()), 1)
    return line_records(_lines(file))


def _lines(file: io.BufferedIOBase) -> Iterator[bytes]:
    """Yields the lines of the file. A line that is too long is cut, which makes it invalid JSON."""
    while line := file.readline(_LONGEST_LINE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE)
        yield line
