"""OTLP/HTTP traces in protobuf or JSON: converts spans to records, and encodes the responses."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from logs.formats.bodies import MAX_RECORDS, BodyError, checked_content_type, read_bytes, refuse_many_values
from logs.formats.dialects import first, is_call
from logs.formats.genai import NAMES, attributes_of, span_record
from logs.formats.identity import OtherSpan
from logs.formats.parsing import Record
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.formats.span_ids import kept_id, request_id_of_span, span_identity
from logs.formats.translated import parse_translated

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"


def read_request(request: HttpRequest) -> list[Record]:
    """Returns the spans of a request: first records of model calls, for `parse_span`, then the other spans.

    Raises `BodyError`.
    """
    content_type = checked_content_type(request, PROTOBUF, JSON)
    return _read(read_bytes(request), content_type)


def read_spans(data: bytes, content_type: str) -> list[Record]:
    """Returns the spans that are model calls, as records for `parse_span`; other spans are left out.

    `data` is a decompressed ExportTraceServiceRequest, `content_type` is `PROTOBUF` or `JSON`. Raises
    `BodyError`.
    """
    return [record for record in _read(data, content_type) if not isinstance(record, OtherSpan)]


def _read(data: bytes, content_type: str) -> list[Record]:
    try:
        if content_type == JSON:
            records = _json_records(_document(data))
        else:
            records = _records(ExportTraceServiceRequest.FromString(data), bytes.hex)
    except (json_format.ParseError, DecodeError, ValueError, RecursionError) as error:
        message = _("The body is not an ExportTraceServiceRequest: %s") % _where(error)
        raise BodyError(400, "invalid_json", message) from None
    if sum(not isinstance(record, OtherSpan) for record in records) > MAX_RECORDS:
        raise BodyError(413, "too_large", _("Send at most %d records at once.") % MAX_RECORDS)
    return records


def unfold(record: Record) -> list[Record]:
    """Returns the spans in one line of a file, in the form that `read_request` returns.

    The line is a parsed ExportTraceServiceRequest. One that cannot be read becomes an `InvalidRecordError`.
    """
    if isinstance(record, InvalidRecordError):
        return [record]
    try:
        return _json_records(record)
    except (json_format.ParseError, ValueError, RecursionError) as error:
        message = _("This is not an ExportTraceServiceRequest: %s") % _where(error)
        return [InvalidRecordError(None, message, code="invalid_json")]


def _json_records(document: object) -> list[Record]:
    """Returns the spans of a request in JSON. A span that cannot be read becomes an `InvalidRecordError`."""
    if not isinstance(document, dict):
        raise ValueError("not an object")
    _encode_ids(document)
    request = ExportTraceServiceRequest()
    try:
        json_format.ParseDict(document, request, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        request, unreadable = _readable_spans(document)
        if not any(scope.spans for group in request.resource_spans for scope in group.scope_spans):
            raise
        message = _("The span cannot be read: %s") % _where(error)
        return [
            *_records(request, _json_id),
            *[InvalidRecordError(None, message, code="invalid_json")] * unreadable,
        ]
    return _records(request, _json_id)


def _encode_ids(document: dict[str, Any]) -> None:
    """Converts the trace and span ids in the document to base64, in place.

    Protobuf's JSON parser expects base64, whereas OTLP sends hexadecimal. The text of an id is encoded as it
    is, so that any id can be restored. Links to other spans are removed, because they are not used.
    """
    for group in _list_in(document, "resourceSpans"):
        for scope in _list_in(group, "scopeSpans"):
            for span in _list_in(scope, "spans"):
                span.pop("links", None)
                for name in (name for name in _IDS if isinstance(span.get(name), str)):
                    span[name] = base64.b64encode(span[name].encode("utf-8", "surrogatepass")).decode()


_IDS: Final = ("traceId", "spanId", "parentSpanId")


def _json_id(read: bytes) -> str:
    """Restores the text of an id that `_encode_ids` has encoded."""
    return read.decode("utf-8", "surrogatepass")


def _readable_spans(document: dict[str, Any]) -> tuple[ExportTraceServiceRequest, int]:
    """Parses the spans one by one, after parsing them together has failed.

    Returns a request with the spans that can be read, and the number of the others.
    """
    request, unreadable = ExportTraceServiceRequest(), 0
    for group in _list_in(document, "resourceSpans"):
        kept = request.resource_spans.add()
        with suppress(json_format.ParseError):
            resource = _without_surrogates(group.get("resource") or {})
            json_format.ParseDict(resource, kept.resource, ignore_unknown_fields=True)
        for around in _list_in(group, "scopeSpans"):
            scope = kept.scope_spans.add()
            with suppress(json_format.ParseError):
                json_format.ParseDict(around.get("scope") or {}, scope.scope, ignore_unknown_fields=True)
            for span in _list_in(around, "spans"):
                try:
                    json_format.ParseDict(
                        _without_surrogates(span), scope.spans.add(), ignore_unknown_fields=True
                    )
                except json_format.ParseError:
                    del scope.spans[-1]
                    unreadable += 1
    return request, unreadable


def _without_surrogates(said: Any) -> Any:
    """Returns the value without lone surrogates, which JSON can contain and protobuf cannot."""
    if isinstance(said, str):
        return said.encode("utf-8", "replace").decode()
    if isinstance(said, list):
        return [_without_surrogates(one) for one in said]
    if isinstance(said, dict):
        return {_without_surrogates(key): _without_surrogates(value) for key, value in said.items()}
    return said


def _list_in(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = values.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _records(request: ExportTraceServiceRequest, id_text: Callable[[bytes], str]) -> list[Record]:
    """Returns the model calls as records, followed by the other spans that have a trace id and a span id."""
    calls: list[Record] = []
    others: list[Record] = []
    for group in request.resource_spans:
        resource = attributes_of(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                attributes = attributes_of(span.attributes)
                ids = {
                    "trace_id": kept_id(id_text(span.trace_id)),
                    "span_id": kept_id(id_text(span.span_id)),
                    "parent_id": kept_id(id_text(span.parent_span_id)),
                }
                if is_call(attributes, span.name):
                    calls.append(_call_record(span, attributes, resource, scope.scope.name, ids))
                elif ids["trace_id"] and ids["span_id"]:
                    team = first(resource, "team")
                    others.append(OtherSpan(**ids, team=team if isinstance(team, str) else ""))
    return [*calls, *others]


def _call_record(
    span: Span, attributes: dict[str, Any], resource: dict[str, Any], scope: str, ids: dict[str, str]
) -> dict[str, Any]:
    around = resource | attributes
    record = span_record(span, attributes, around, trace_id=ids["trace_id"])
    identity = span_identity(span, record, attributes, around, scope=scope, **ids)
    is_named = span.span_id or identity.response_id or identity.litellm_id
    return record | {"request_id": request_id_of_span(identity) if is_named else None, "identity": identity}


def parse_span(record: object, now: datetime) -> ReportedCall:
    """Converts a record from `read_spans` to a call.

    Raises `InvalidRecordError` naming the invalid attribute.
    """
    if not isinstance(record, dict):
        raise InvalidRecordError(None, _("A record must be an object."))
    call = parse_translated(record, NAMES, now)
    call.identity = record.get("identity")
    return call


def batch_answer(batch: dict[str, Any], content_type: str) -> bytes:
    """Encodes the result of a batch as OTLP response; `batch` is the dict that answers `POST /api/v1/calls`."""
    return answer([f"{one['request_id']}: {one['message']}" for one in batch["rejected"]], content_type)


def batch_refusal(error: dict[str, Any], content_type: str) -> bytes:
    """Encodes an error in OpenAI's format as the error that OTLP expects."""
    return refusal(error["error"]["message"], content_type)


def answer(rejections: Sequence[str], content_type: str) -> bytes:
    """Returns an encoded ExportTraceServiceResponse.

    It reports success, or partial success with the messages of the rejected spans.
    """
    response = ExportTraceServiceResponse()
    if rejections:
        response.partial_success.rejected_spans = len(rejections)
        response.partial_success.error_message = "; ".join(rejections)[:4000]
    return _encoded(response, content_type)


def refusal(message: str, content_type: str) -> bytes:
    """Returns the body of a 4xx or 5xx response: an encoded google.rpc.Status with this message.

    The Status of a span is used to encode it, since its message has the same field number, 2.
    """
    return _encoded(Status(message=message), content_type)


def _encoded(message: Message, content_type: str) -> bytes:
    if content_type == JSON:
        return str(json_format.MessageToJson(message, indent=None)).encode()
    return bytes(message.SerializeToString())


def _where(error: Exception) -> str:
    """Returns which field of the request an error is about, without quoting the value, which may be content.

    Protobuf's message lists the field names first and then the value.
    """
    if not isinstance(error, json_format.ParseError):
        return str(error)[:200]
    known = _FIELDS_OF_ERROR.match(str(error))
    fields = re.findall(r"Failed to parse (\w+) field: ", known[0] if known else "")
    return _("%s cannot be read") % (".".join(fields) or "resourceSpans")


_FIELDS_OF_ERROR: Final = re.compile(r"(?:Failed to parse \w+ field: )*")


def _document(data: bytes) -> object:
    refuse_many_values(data)
    return json.loads(data)
