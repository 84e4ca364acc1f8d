"""The HTTP endpoints that receive reported calls, one for each format of `logs.formats.FORMATS`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from logs.formats import OTLP
from logs.formats.bodies import BodyError, checked_content_type, read_bytes
from logs.formats.call_format import CallFormat
from logs.formats.callboard import request_id_of
from logs.formats.identity import OtherSpan
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.recording.callers import Caller
from logs.recording.counting import count_answer, count_refusal
from logs.recording.record import Recorded, record_calls
from logs.recording.refusals import refusal_of
from teams.api import ApiError, Credential, endpoint, error_json
from teams.models import Token


def caller_of(credential: Credential) -> Caller:
    """Wraps an authenticated token or gateway key in a `Caller`."""
    if isinstance(credential, Token):
        return Caller(token=credential)
    return Caller(gateway_key=credential)


def receiver(form: CallFormat) -> Callable[[HttpRequest], HttpResponseBase]:
    """Creates the view that receives calls in the given format. It accepts only POST with an API key."""

    @endpoint("POST", on_refusal=count_refusal)
    def receive(request: HttpRequest, credential: Credential) -> HttpResponse:
        kind = form.answer_type((request.content_type or "").lower())
        try:
            records = form.read(request)
        except BodyError as error:
            count_refusal(credential, error)
            return _refused(form, ApiError(error.status, error.code, str(error), param=error.param), {}, kind)
        now = timezone.now()
        answer = record_batch(records, form, by=credential, now=now)
        count_answer(credential, answer, now)
        refusal = refusal_of(answer) if form.rejects_by_status else None
        if refusal is not None:
            return _refused(form, refusal, answer, kind)
        return HttpResponse(form.answer(answer, kind), content_type=kind)

    return receive


def _refused(form: CallFormat, error: ApiError, answer: dict[str, Any], kind: str) -> HttpResponse:
    """Returns an error response in the shape that the format's senders expect.

    `answer` adds the counts of a batch whose records were all rejected; it is empty if the body could not be
    read.
    """
    body = form.refusal(answer | error_json(error), kind)
    return HttpResponse(body, status=error.status, content_type=kind, headers=error.headers)


@endpoint("POST")
def ignore_signal(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Accepts and ignores OTLP metrics and logs: POST /otlp/v1/metrics and /otlp/v1/logs.

    Exporters often send all three OTLP signals to one server; they get an empty success instead of an error.
    """
    kind = OTLP.answer_type((request.content_type or "").lower())
    try:
        checked_content_type(request, *OTLP.bodies)
        read_bytes(request)
    except BodyError as error:
        return _refused(OTLP, ApiError(error.status, error.code, str(error)), {}, kind)
    return HttpResponse(OTLP.answer({"rejected": []}, kind), content_type=kind)


def record_batch(
    records: Sequence[object], form: CallFormat, *, by: Credential, now: datetime
) -> dict[str, Any]:
    """Parses and records a batch of records; returns the answer of `POST /api/v1/calls` as a dict.

    Each record is accepted or rejected on its own: an invalid record does not affect the others.
    """
    calls: list[ReportedCall] = []
    positions: list[int] = []
    rejected: list[dict[str, Any]] = []
    between: list[OtherSpan] = []
    ignored = 0
    for index, record in enumerate(records):
        if isinstance(record, OtherSpan):
            between.append(record)
            continue
        try:
            if isinstance(record, InvalidRecordError):
                raise record
            call = form.parse(record, now)
        except InvalidRecordError as error:
            rejected.append(_rejection(index, request_id_of(record, form.id_field), error))
            continue
        if call is None:
            ignored += 1
            continue
        if form.names_end_users and isinstance(by, Token):  # the token's member called, not a named end user
            call.team = call.member = ""
        calls.append(call)
        positions.append(index)
    recorded = record_calls(calls, by=caller_of(by), now=now, between=between)
    rejected += [_rejection(positions[r.position], r.request_id, r.error) for r in recorded.rejected]
    warnings = [_rejection(positions[w.position], w.request_id, w.error) for w in recorded.warnings]
    return _answer(recorded, rejected, warnings, ignored)


def _answer(
    recorded: Recorded, rejected: list[dict[str, Any]], warnings: list[dict[str, Any]], ignored: int
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "accepted": recorded.accepted,
        "duplicates": recorded.duplicates,
        "rejected": sorted(rejected, key=lambda rejection: rejection["index"]),
    }
    if ignored:  # records that are about no call to a model
        answer["ignored"] = ignored
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
