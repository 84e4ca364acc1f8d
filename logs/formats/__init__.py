"""The formats in which calls are reported: each module converts records to `ReportedCall`s or raises an error.

`callboard` is the API's own format and the only module that validates calls. Records of the other formats are
first translated into it (`translated`), so the same limits apply to all. `FORMATS` declares all formats; API,
import and OpenAPI document read them from there.
"""

from functools import partial
from typing import Final

from logs.formats import otlp
from logs.formats.bodies import json_bytes, read_records
from logs.formats.call_format import CallFormat
from logs.formats.callboard import parse_call
from logs.formats.litellm import parse_payload

_CALL: Final = {"$ref": "#/components/schemas/Call"}

CALLBOARD: Final = CallFormat(
    name="callboard",
    path="api/v1/calls",
    summary="Report finished calls",
    bodies={
        "application/json": {"anyOf": [_CALL, {"type": "array", "items": _CALL, "maxItems": 10_000}]},
        "application/x-ndjson": _CALL,
    },
    read=read_records,
    parse=parse_call,
    id_field="request_id",
    answer=json_bytes,
    refusal=json_bytes,
    rejects_by_status=False,
    names_end_users=False,
)
LITELLM: Final = CallFormat(
    name="litellm",
    path="api/v1/litellm",
    summary="What LiteLLM's generic_api callback sends",
    bodies={"application/json": {"type": ["array", "object"]}, "application/x-ndjson": {"type": "object"}},
    read=partial(read_records, json_may_be_lines=True),
    parse=parse_payload,
    id_field="litellm_call_id",
    answer=json_bytes,
    refusal=json_bytes,
)
OTLP: Final = CallFormat(
    name="otlp",
    path="otlp/v1/traces",
    summary="Traces of OpenTelemetry over HTTP (not gRPC): spans about calls to models become calls",
    bodies={
        "application/json": {"type": "object"},
        "application/x-protobuf": {"type": "string", "format": "binary"},
    },
    read=otlp.read_request,
    parse=otlp.parse_span,
    id_field="request_id",
    answer=otlp.batch_answer,
    refusal=otlp.batch_refusal,
    unfold=otlp.unfold,
)
FORMATS: Final = {one.name: one for one in (CALLBOARD, LITELLM, OTLP)}
