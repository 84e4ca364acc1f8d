"""OTLP/HTTP traces, protobuf and JSON: the request's spans to records, and the answers that OTLP expects."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from logs.formats.bodies import MAX_RECORDS, BodyError, refuse_many_values
from logs.formats.dialects import is_call
from logs.formats.genai import NAMES, attributes_of, span_record
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.formats.translated import parse_translated

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"


def read_spans(data: bytes, content_type: str) -> list[dict[str, Any]]:
    """The spans that are calls, as records for `parse_span`; other spans are left out.

    `data` is an ExportTraceServiceRequest, decompressed, `content_type` PROTOBUF or JSON. Raises `BodyError`.
    """
    id_text = _json_id if content_type == JSON else bytes.hex
    records = []
    for group in _request(data, content_type).resource_spans:
        resource = attributes_of(group.resource.attributes)
        for span in (span for scope in group.scope_spans for span in scope.spans):
            attributes = attributes_of(span.attributes)
            if is_call(attributes, span.name):
                ids = {"trace_id": id_text(span.trace_id), "span_id": id_text(span.span_id)}
                records.append(span_record(span, attributes, resource, **ids))
    if len(records) > MAX_RECORDS:
        raise BodyError(413, "too_large", _("Send at most %d records at once.") % MAX_RECORDS)
    return records


def _json_id(read: bytes) -> str:
    """An id as it was written: OTLP's JSON has hex where protobuf's JSON, which read it, expects base64."""
    return base64.b64encode(read).decode()


def parse_span(record: object, now: datetime) -> ReportedCall:
    """The call of a record from `read_spans`. Raises `InvalidRecordError` naming the attribute to blame."""
    if not isinstance(record, dict):
        raise InvalidRecordError(None, _("A record must be an object."))
    return parse_translated(record, NAMES, now)


def answer(rejections: Sequence[str], content_type: str) -> bytes:
    """The ExportTraceServiceResponse: success, or partial with the message of each span that was rejected."""
    response = ExportTraceServiceResponse()
    if rejections:
        response.partial_success.rejected_spans = len(rejections)
        response.partial_success.error_message = "; ".join(rejections)[:4000]
    return _encoded(response, content_type)


def refusal(message: str, content_type: str) -> bytes:
    """The body of an answer of 4xx or 5xx, a google.rpc.Status.

    Its message has the field number 2, like that of a span's Status, which is at hand.
    """
    return _encoded(Status(message=message), content_type)


def _encoded(message: Message, content_type: str) -> bytes:
    if content_type == JSON:
        return str(json_format.MessageToJson(message, indent=None)).encode()
    return bytes(message.SerializeToString())


def _request(data: bytes, content_type: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    try:
        if content_type == JSON:
            json_format.ParseDict(_object(data), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(data)
    except (json_format.ParseError, DecodeError, ValueError, RecursionError) as error:
        message = _("The body is not an ExportTraceServiceRequest: %s") % _where(error)
        raise BodyError(400, "invalid_json", message) from None
    return request


def _where(error: Exception) -> str:
    """What is wrong, without the value that is: protobuf quotes it after the names of the fields that led to it."""
    if not isinstance(error, json_format.ParseError):
        return str(error)[:200]
    known = _FIELDS_OF_ERROR.match(str(error))
    fields = re.findall(r"Failed to parse (\w+) field: ", known[0] if known else "")
    return _("%s cannot be read") % (".".join(fields) or "resourceSpans")


_FIELDS_OF_ERROR: Final = re.compile(r"(?:Failed to parse \w+ field: )*")


def _object(data: bytes) -> dict[str, Any]:
    """The JSON object; protobuf itself would take a list or a string for a request without spans."""
    refuse_many_values(data)
    document = json.loads(data)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document
