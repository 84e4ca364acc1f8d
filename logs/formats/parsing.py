"""Parses JSON and NDJSON into records, so that an invalid record does not affect the others.

Fractions become `Decimal`, so money stays exact. Invalid JSON that some senders write becomes a value that only
the reader of its field rejects: NaN and Infinity become floats, bytes that are not UTF-8 become lone
surrogates. If a key occurs twice, the last value counts.
"""

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from logs.formats.reported import InvalidRecordError

# A parsed JSON value, or the error if it could not be read.
Record = object | InvalidRecordError

_DECODER: Final = json.JSONDecoder(parse_float=Decimal)
# Strings, brackets and commas, to find where an element ends. Possessive, and an unterminated string extends
# to the end of the text, so every text is scanned only once.
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[][{},]', re.DOTALL)


class NotJsonError(Exception):
    """The text is not JSON; the message says where it is invalid."""


class _UnreadableError(Exception):
    """The text may be JSON, but contains a number or nesting that Python refuses to parse."""


def document_records(data: bytes) -> list[Record]:
    """Returns the records of a JSON document: the elements of an array, or the document as the only record.

    A number that is too long, or nesting that is too deep, rejects only its own record. Raises `NotJsonError`
    if the document is not JSON.
    """
    text = _text(data)
    try:
        document = _value(text)
    except _UnreadableError:
        return [_record(element) for element in _elements(text)]
    return document if isinstance(document, list) else [document]


def line_records(lines: Iterable[bytes]) -> Iterator[tuple[int, Record]]:
    """Yields (line number from 1, record) for each line of NDJSON that is not blank."""
    for number, line in enumerate(lines, 1):
        text = _text(line)
        if not text.isspace():
            yield number, _record(text)


def _text(data: bytes) -> str:
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _record(text: str) -> Record:
    try:
        return _value(text)
    except (NotJsonError, _UnreadableError) as error:
        return InvalidRecordError(None, str(error), code="invalid_json")


def _value(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(_("This is not JSON: %s.") % error) from None
    except RecursionError:
        raise _UnreadableError(_("This is nested too deeply.")) from None
    except (ValueError, ArithmeticError):  # of int() and Decimal()
        raise _UnreadableError(_("A number in this has too many digits.")) from None


def _elements(text: str) -> Iterator[str]:
    """Yields the text of each element of an array, found by brackets and commas alone.

    Any other text is yielded as a whole. Raises `NotJsonError` if the array is not closed at the end.
    """
    if not text.lstrip().startswith("["):
        yield text
        return
    depth = start = 0
    for token in _STRUCTURE.finditer(text):
        sign = token[0]
        if depth == 1 and sign in {",", "]"}:
            yield text[start : token.start()]
        depth += (sign in {"[", "{"}) - (sign in {"]", "}"})
        if depth == 0:
            break
        if depth == 1 and sign in {",", "["}:
            start = token.end()
    if depth or text[token.end() :].strip():
        raise NotJsonError(_("This is not JSON: the array does not end where the body does."))
