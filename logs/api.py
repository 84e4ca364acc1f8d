"""The HTTP API of calls: reporting them, in Callboard's own format and LiteLLM's."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from logs.bodies import BodyError, read_records
from logs.callers import Caller
from logs.formats.callboard import parse_call
from logs.formats.litellm import parse_payload
from logs.record import Recorded, record_calls
from logs.reported import InvalidRecordError, ReportedCall
from teams.api import ApiError, Credential, endpoint
from teams.models import Token

Parser = Callable[[object, datetime], ReportedCall]


def caller_of(credential: Credential) -> Caller:
    """The key as the one who reports."""
    if isinstance(credential, Token):
        return Caller(token=credential)
    return Caller(gateway_key=credential)


@endpoint("POST")
def report_calls(request: HttpRequest, credential: Credential) -> HttpResponse:
    """POST /api/v1/calls: one record, an array, or NDJSON."""
    return _report(request, credential, parse_call)


@endpoint("POST")
def report_litellm(request: HttpRequest, credential: Credential) -> HttpResponse:
    """POST /api/v1/litellm: what LiteLLM's generic_api callback sends."""
    return _report(request, credential, parse_payload)


def _report(request: HttpRequest, credential: Credential, parse: Parser) -> JsonResponse:
    now = timezone.now()
    try:
        records = read_records(request)
    except BodyError as error:
        raise ApiError(error.status, error.code, str(error), param=error.param) from error
    return JsonResponse(record_batch(records, parse, by=caller_of(credential), now=now))


def record_batch(records: Sequence[object], parse: Parser, *, by: Caller, now: datetime) -> dict[str, Any]:
    """Parses and records a batch; the answer of API.md §3. A bad record never keeps a good one out."""
    calls: list[ReportedCall] = []
    positions: list[int] = []
    rejected: list[dict[str, Any]] = []
    for index, record in enumerate(records):
        try:
            if isinstance(record, InvalidRecordError):
                raise record
            calls.append(parse(record, now))
            positions.append(index)
        except InvalidRecordError as error:
            rejected.append(_rejection(index, _request_id(record), error))
    recorded = record_calls(calls, by=by, now=now)
    rejected += [_rejection(positions[r.position], r.request_id, r.error) for r in recorded.rejected]
    return _answer(recorded, rejected)


def _answer(recorded: Recorded, rejected: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "accepted": recorded.accepted,
        "duplicates": recorded.duplicates,
        "rejected": sorted(rejected, key=lambda rejection: rejection["index"]),
    }


def _rejection(index: int, request_id: str | None, error: InvalidRecordError) -> dict[str, Any]:
    return {
        "index": index,
        "request_id": request_id,
        "code": error.code,
        "param": error.param,
        "message": str(error),
    }


def _request_id(record: object) -> str | None:
    """The request id of a record that could not be read, to find it by; None when that is broken too."""
    found = record.get("request_id") if isinstance(record, dict) else None
    return found[:128] if isinstance(found, str) else None
