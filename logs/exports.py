"""Calls as files: CSV and NDJSON, streamed in chunks by key, so that a million take no more room than one page."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse

from config.csvs import csv_lines
from logs.people import tokens_by_id
from logs.query import CallQuery, matching
from teams.models import Mode, User
from usage.models import Outcome, PricedBy

CHUNK = 2_000
# Each line of the file: its name, and the column of the call that it comes from.
FIELDS = {
    "id": "id",
    "request_id": "request_id",
    "started_at": "started_at",
    "mode": "mode",
    "member": "member_id",
    "token": "token_id",
    "model": "model",
    "provider": "provider",
    "endpoint": "endpoint",
    "channel": "channel",
    "status": "status",
    "outcome": "outcome",
    "stream": "stream",
    "latency_ms": "latency_ms",
    "ttft_ms": "ttft_ms",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_tokens": "cached_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "cost_usd": "cost_nanos",
    "unpriced": "priced_by",
    "error_type": "error_type",
    "error_code": "error_code",
    "error_message": "error_message",
    "ip": "ip",
    "user_agent": "user_agent",
    "session_id": "session_id",
    "tags": "tags",
    "metadata": "metadata",
}
FORMATS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
Row = Sequence[Any]


def export_response(query: CallQuery, kind: str) -> StreamingHttpResponse:
    """All calls of the question, newest first, as `csv` or `ndjson`."""
    lines = csv_of(calls_of(query)) if kind == "csv" else ndjson_of(calls_of(query))
    response = StreamingHttpResponse(lines, content_type=FORMATS[kind])
    name = f"calls-{query.usage.team.slug}-{query.usage.range.start:%Y%m%d}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_of(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as lines of CSV; lists and objects as JSON."""
    return csv_lines(list(FIELDS), (_flat(row) for row in rows))


def _flat(row: Row) -> Row:
    return [*row[:-2], json.dumps(row[-2]) if row[-2] else "", json.dumps(row[-1]) if row[-1] else ""]


def ndjson_of(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as JSON objects, one a line."""
    encode, names = json.JSONEncoder(ensure_ascii=False).encode, list(FIELDS)
    for row in rows:
        yield encode(dict(zip(names, row, strict=True))) + "\n"


def calls_of(query: CallQuery) -> Iterator[Row]:
    """The values of FIELDS of every call, newest first, read a chunk at a time by key.

    No cursor of the database stays open, so an export that is read slowly keeps nothing waiting.
    """
    writer = RowWriter()
    calls = matching(query).order_by("-id").values_list(*FIELDS.values())
    last: UUID | None = None
    while True:
        rows = list((calls.filter(id__lt=last) if last else calls)[:CHUNK])
        yield from writer.write(rows)
        if len(rows) < CHUNK:
            return
        last = rows[-1][0]


class RowWriter:
    """Turns rows of the table into rows of FIELDS; remembers the names it has looked up."""

    def __init__(self) -> None:
        self._members: dict[int, str] = {}
        self._tokens: dict[int, str | None] = {0: None}

    def write(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Rows with public names and readable values, in the same order."""
        self._learn(rows)
        members, tokens = self._members, self._tokens
        for row in rows:
            out = list(row)
            out[0] = str(row[0])
            out[2] = row[2].astimezone(UTC).isoformat().replace("+00:00", "Z")
            out[3] = _MODES[row[3]]
            out[4] = members.get(row[4])
            out[5] = tokens.get(row[5])
            out[11] = _OUTCOMES[row[11]]
            out[20] = dollars(row[20])
            out[21] = row[21] == PricedBy.NOTHING
            yield out

    def _learn(self, rows: Sequence[Row]) -> None:
        members = {row[4] for row in rows} - self._members.keys()
        if members:
            self._members.update(User.objects.filter(pk__in=members).values_list("pk", "email"))
        tokens = {row[5] for row in rows} - self._tokens.keys()
        if tokens:
            found = tokens_by_id(tokens)
            self._tokens |= {pk: found[pk].public_id if pk in found else None for pk in tokens}


_MODES = [mode.word for mode in Mode]
_OUTCOMES = [outcome.word for outcome in Outcome]


def dollars(nanos: int) -> str:
    """As `usage.money.usd_string`, for nothing or more, without decimals' detour: it is called a million times."""
    whole, rest = divmod(nanos, 1_000_000_000)
    return f"{whole}.{rest:09d}".rstrip("0").ljust(len(str(whole)) + 3, "0")
