"""Reads the body of a request: decompresses it, enforces the size limits, and splits it into records."""

import io
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.http import HttpRequest, UnreadablePostError
from django.utils.translation import gettext as _

from logs.formats.parsing import NotJsonError, Record, document_records, line_records
from logs.formats.reported import InvalidRecordError

MAX_BYTES: Final = 16 * 1024 * 1024  # after decompression
MAX_RECORDS: Final = 10_000
# 16 MiB of "{},{},…" would become dicts that take a hundred times as much memory.
_MAX_VALUES: Final = 1_000_000
_CHUNK: Final = 64 * 1024
_GZIP_ONLY: Final = zlib.MAX_WBITS | 16
_MAX_MEMBERS: Final = 1000  # of one gzip body; a million empty members unpack to nothing, but take seconds
_JSON: Final = "application/json"
_NDJSON: Final = "application/x-ndjson"


class BodyError(Exception):
    """A request body that is refused as a whole.

    `status` is the HTTP status and `code` the error code of the response (`docs/api.md`).
    """

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param


def read_records(request: HttpRequest, *, json_may_be_lines: bool = False) -> list[Record]:
    """Returns the records of the body; an unreadable record is an `InvalidRecordError` in the list.

    The body is one JSON record, an array of them (`application/json`), or lines (`application/x-ndjson`), plain
    or gzip. `json_may_be_lines` also accepts lines as application/json, which LiteLLM sends. Raises
    `BodyError`.
    """
    content_type = checked_content_type(request, _JSON, _NDJSON)
    data = read_bytes(request)
    refuse_many_values(data)
    records = _lines(data) if content_type == _NDJSON else _json(data, json_may_be_lines)
    if len(records) > MAX_RECORDS:
        raise BodyError(413, "too_large", _("Send at most %d records at once.") % MAX_RECORDS)
    return records


def json_bytes(answer: dict[str, Any], _content_type: str) -> bytes:
    """Returns the answer as JSON; senders of every content type can read it."""
    return json.dumps(answer).encode()


def refuse_many_values(data: bytes) -> None:
    """Raises `BodyError` for JSON with more objects, lists and values than an honest batch contains."""
    if sum(map(data.count, (b"{", b"[", b","))) > _MAX_VALUES:
        raise BodyError(413, "too_large", _("The body holds too many values: send it in smaller batches."))


def checked_content_type(request: HttpRequest, *understood: str) -> str:
    """Returns the request's content type, in lower case and without parameters.

    Raises `BodyError` with status 415 if it is not one of `understood`.
    """
    sent = (request.content_type or "").lower()
    if sent.startswith("application/grpc"):
        message = _("gRPC is not offered: send OTLP over HTTP (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf).")
        raise BodyError(415, "unsupported_media_type", message)
    if sent not in understood:
        message = _("Send it with a Content-Type of %s.") % " / ".join(understood)
        raise BodyError(415, "unsupported_media_type", message)
    return sent


def read_bytes(request: HttpRequest) -> bytes:
    """Returns the whole body of the request, decompressed.

    Raises `BodyError` if it is more than 16 MiB after decompression, or cannot be decompressed. Reading stops
    at the limit, so a small body that unpacks to gigabytes does not fill the memory.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        message = _("Send it with Content-Encoding: gzip, or none.")
        raise BodyError(415, "unsupported_media_type", message)
    sent = _limited(iter(lambda: request.read(_CHUNK), b""))
    body = bytearray()
    try:
        for chunk in _limited(_gunzipped(sent)) if "gzip" in encoding else sent:
            body += chunk
    except zlib.error:
        raise BodyError(400, "invalid_json", _("The body is not gzip, as Content-Encoding says.")) from None
    except UnreadablePostError:
        raise BodyError(400, "invalid_json", _("The body ended before its Content-Length.")) from None
    return bytes(body)


def _limited(chunks: Iterable[bytes]) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > MAX_BYTES:
            message = _("Send at most 16 MiB at once, also after decompression.")
            raise BodyError(413, "too_large", message)
        yield chunk


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the decompressed data in chunks of limited size. A gzip stream may consist of several members."""
    members = 1
    member = zlib.decompressobj(wbits=_GZIP_ONLY)
    for chunk in chunks:
        while chunk:
            if member.eof:
                members += 1
                member = zlib.decompressobj(wbits=_GZIP_ONLY)
            yield member.decompress(chunk, _CHUNK)
            chunk = member.unused_data if member.eof else member.unconsumed_tail
            if members > _MAX_MEMBERS:
                raise zlib.error("too many members")
    yield member.flush()  # a few bytes that are still buffered
    if not member.eof:
        raise zlib.error("the last member is cut off")


def _lines(data: bytes) -> list[Record]:
    """Returns the records of NDJSON, at most one more than allowed: enough to see that there are too many."""
    records: list[Record] = []
    for _line, record in line_records(io.BytesIO(data)):
        records.append(record)
        if len(records) > MAX_RECORDS:
            break
    return records


def _json(data: bytes, may_be_lines: bool) -> list[Record]:
    try:
        return document_records(data)
    except NotJsonError as error:
        records = _lines(data) if may_be_lines else []
        # If the first of several lines is valid JSON, the body is NDJSON; otherwise it is invalid JSON.
        if len(records) < 2 or isinstance(records[0], InvalidRecordError):
            raise BodyError(400, "invalid_json", str(error)) from None
        return records
