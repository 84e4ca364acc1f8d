"""The HTTP API of calls: reporting them, in Callboard's own format, LiteLLM's and OpenTelemetry's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from logs.formats import Parser, otlp
from logs.formats.bodies import BodyError, checked_content_type, read_bytes, read_records
from logs.formats.callboard import parse_call, request_id_of
from logs.formats.litellm import parse_payload
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.recording.callers import Caller
from logs.recording.counting import count_answer, count_refusal
from logs.recording.record import Recorded, record_calls
from logs.recording.refusals import refusal_of
from teams.api import ApiError, Credential, endpoint, error_json
from teams.models import Token


def caller_of(credential: Credential) -> Caller:
    """The key as the one who reports."""
    if isinstance(credential, Token):
        return Caller(token=credential)
    return Caller(gateway_key=credential)


@endpoint("POST", on_refusal=count_refusal)
def report_calls(request: HttpRequest, credential: Credential) -> HttpResponse:
    """POST /api/v1/calls: one record, an array, or NDJSON."""
    return JsonResponse(_report(request, credential, parse_call, "request_id"))


@endpoint("POST", on_refusal=count_refusal)
def report_litellm(request: HttpRequest, credential: Credential) -> HttpResponse:
    """POST /api/v1/litellm: what LiteLLM's generic_api callback sends."""
    answer = _report(
        request, credential, _holders(credential, parse_payload), "litellm_call_id", json_may_be_lines=True
    )
    refusal = refusal_of(answer)
    if refusal is None:
        return JsonResponse(answer)
    return JsonResponse(answer | error_json(refusal), status=refusal.status, headers=refusal.headers)


def _report(
    request: HttpRequest,
    credential: Credential,
    parse: Parser,
    id_field: str,
    *,
    json_may_be_lines: bool = False,
) -> dict[str, Any]:
    try:
        records = read_records(request, json_may_be_lines=json_may_be_lines)
    except BodyError as error:
        raise ApiError(error.status, error.code, str(error), param=error.param) from error
    return _recorded(records, parse, id_field, credential)


def _recorded(
    records: Sequence[object], parse: Parser, id_field: str, credential: Credential
) -> dict[str, Any]:
    """The answer of a batch, which is counted for the page of its key after all of it is stored."""
    now = timezone.now()
    answer = record_batch(records, parse, id_field, by=caller_of(credential), now=now)
    count_answer(credential, answer, now)
    return answer


@endpoint("POST", on_refusal=count_refusal)
def report_traces(request: HttpRequest, credential: Credential) -> HttpResponse:
    """POST /otlp/v1/traces: an OTLP/HTTP receiver; spans of GenAI become calls, others are ignored."""
    kind = otlp.JSON
    try:
        kind = checked_content_type(request, otlp.PROTOBUF, otlp.JSON)
        spans = otlp.read_spans(read_bytes(request), kind)
    except BodyError as error:
        count_refusal(credential, error)
        return HttpResponse(otlp.refusal(str(error), kind), status=error.status, content_type=kind)
    answer = _recorded(spans, _holders(credential, otlp.parse_span), "request_id", credential)
    refusal = refusal_of(answer)
    if refusal is not None:
        body = otlp.refusal(str(refusal), kind)
        return HttpResponse(body, status=refusal.status, content_type=kind, headers=refusal.headers)
    messages = [f"{rejected['request_id']}: {rejected['message']}" for rejected in answer["rejected"]]
    return HttpResponse(otlp.answer(messages, kind), content_type=kind)


def _holders(credential: Credential, parse: Parser) -> Parser:
    """The parser of a foreign format for this key: with a person's token every call is theirs.

    LiteLLM and OpenTelemetry name end users there, who are nobody to us.
    """

    def parse_own(record: object, now: datetime) -> ReportedCall:
        call = parse(record, now)
        call.team = call.member = ""
        return call

    return parse_own if isinstance(credential, Token) else parse


def record_batch(
    records: Sequence[object], parse: Parser, id_field: str, *, by: Caller, now: datetime
) -> dict[str, Any]:
    """Parses and records a batch; the answer of API.md §3. A bad record never keeps a good one out.

    `id_field` is where this format has its request id, to name records that could not be read.
    """
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
            rejected.append(_rejection(index, request_id_of(record, id_field), error))
    recorded = record_calls(calls, by=by, now=now)
    rejected += [_rejection(positions[r.position], r.request_id, r.error) for r in recorded.rejected]
    warnings = [_rejection(positions[w.position], w.request_id, w.error) for w in recorded.warnings]
    return _answer(recorded, rejected, warnings)


def _answer(
    recorded: Recorded, rejected: list[dict[str, Any]], warnings: list[dict[str, Any]]
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "accepted": recorded.accepted,
        "duplicates": recorded.duplicates,
        "rejected": sorted(rejected, key=lambda rejection: rejection["index"]),
    }
    if warnings:  # accepted calls whose reservation could not be settled
        answer["warnings"] = sorted(warnings, key=lambda warning: warning["index"])
    return answer


def _rejection(index: int, request_id: str | None, error: InvalidRecordError) -> dict[str, Any]:
    return {
        "index": index,
        "request_id": request_id,
        "code": error.code,
        "param": error.param,
        "message": str(error),
    }
