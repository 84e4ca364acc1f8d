"""A span with OpenTelemetry's GenAI attributes, old names and new, in the words of API.md §3.

The conventions say nothing about team, token or cost: `callboard.token`, `callboard.team` and
`callboard.member` name the caller, on the span or its resource; costs are read where some SDKs put them.
Attributes of content (messages, prompts) are never even looked at.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from logs.formats.callboard import REQUEST_ID_CHARACTERS
from logs.formats.dialects import ATTRIBUTES, READ, first
from logs.formats.translated import (
    first_email,
    fitted,
    fitted_address,
    fitted_endpoint,
    fitted_metadata,
    with_cached_inside,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
)
NAMES: Final[Mapping[str, str]] = {
    "request_id": "spanId",
    "started_at": "startTimeUnixNano",
    "latency_ms": "endTimeUnixNano",
    "ttft_ms": "gen_ai.response.time_to_first_chunk",
    "model": "gen_ai.request.model",
    **{field: ATTRIBUTES[field][0] for field in ("cost_usd", "token", "team", *_TOKENS)},
}
# What SDKs call the HTTP statuses; error.type has the class of the exception where it has no number.
_STATUS_OF_ERROR: Final = {
    "BadRequestError": 400,
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "ConflictError": 409,
    "UnprocessableEntityError": 422,
    "RateLimitError": 429,
}

Attributes = dict[str, Any]


def attributes_of(pairs: Iterable[KeyValue]) -> Attributes:
    """The attributes that mean something here, with their single values."""
    return {pair.key: _value(pair.value) for pair in pairs if pair.key in READ}


def _value(value: AnyValue) -> str | bool | int | float | None:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in {"string_value", "bool_value", "int_value", "double_value"} else None


def span_record(
    span: Span, attributes: Attributes, resource: Attributes, *, trace_id: str, span_id: str
) -> dict[str, Any]:
    """The span as a record of Callboard's own, to be judged by `parse_call`.

    `attributes` are the span's own, `resource` what holds for all spans of a process.
    """
    around = resource | attributes
    failure = _failure(span, attributes)
    # A failure has no response; what LiteLLM gives as its id is the same for every attempt.
    response_id = None if failure else first(attributes, "response_id")
    return {
        "request_id": _request_id(response_id, trace_id, span_id),
        **_times(span, attributes),
        **with_cached_inside({field: first(attributes, field) for field in _TOKENS}),
        "cost_usd": first(attributes, "cost_usd"),
        **failure,
        **_who(around),
        **_description(around, trace_id),
    }


def _request_id(response_id: object, trace_id: str, span_id: str) -> str | None:
    """The response's id, so that a call told by two instrumentations is one; the span's if there is none."""
    fitting = fitted(response_id, REQUEST_ID_CHARACTERS + 1)  # what is longer is not cut: two might be one
    if fitting and len(fitting) <= REQUEST_ID_CHARACTERS:
        return fitting
    return f"{trace_id}-{span_id}" if span_id else None


def _times(span: Span, attributes: Attributes) -> dict[str, Any]:
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    chunk = _number(first(attributes, "seconds_to_first_chunk"))
    return {
        "started_at": _EPOCH + timedelta(microseconds=start // 1000) if start else None,
        "latency_ms": round((end - start) / 1_000_000) if end >= start else None,
        "ttft_ms": None if chunk is None else round(chunk * 1000),
        "stream": chunk is not None or str(first(attributes, "stream")).lower() == "true",
    }


def _number(value: object) -> float | None:
    """A finite number of seconds; anything else says nothing."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    return None


def _failure(span: Span, attributes: Attributes) -> dict[str, Any]:
    """Status and error of a span that failed: it says so, has an error.type, or a status from 400 on."""
    kind = fitted(str(attributes.get("error.type") or ""), 128)
    status = _http_status(attributes.get("http.response.status_code")) or _http_status(kind)
    if not (kind or status or span.status.code == Status.STATUS_CODE_ERROR):
        return {}
    exception = _exception(span)
    kind = kind or fitted(exception.get("exception.type"), 128)
    message = span.status.message or exception.get("exception.message")
    return {
        "status": status or _STATUS_OF_ERROR.get((kind or "").rpartition(".")[2], 500),
        "error": {"type": kind, "message": fitted(message, 1000)},
    }


def _http_status(value: object) -> int | None:
    """A status of failure, a number or its digits; None for anything else."""
    digits = str(value)
    return (
        int(digits)
        if len(digits) == 3 and digits.isascii() and digits.isdigit() and "400" <= digits <= "599"
        else None
    )


def _exception(span: Span) -> Attributes:
    """The attributes of the last exception that was recorded as an event of the span."""
    events = [event for event in span.events if event.name == "exception"]
    return attributes_of(events[-1].attributes) if events else {}


def _who(around: Attributes) -> dict[str, Any]:
    if token := around.get("callboard.token"):
        return {"token": token}
    return {
        "team": around.get("callboard.team"),
        "member": first_email(*(around.get(name) for name in ATTRIBUTES["member"])),
    }


def _description(around: Attributes, trace_id: str) -> dict[str, Any]:
    return {
        "model": first(around, "model"),
        "provider": fitted(first(around, "provider")),
        "endpoint": fitted_endpoint(first(around, "operation")),
        "channel": fitted(around.get("server.address")),
        "ip": fitted_address(around.get("client.address")),
        "user_agent": fitted(around.get("user_agent.original"), 256),
        "session_id": fitted(first(around, "session_id"), 128),
        "metadata": fitted_metadata(
            {
                "service": around.get("service.name"),
                "response_model": around.get("gen_ai.response.model"),
                "user_id": around.get("user.id") or around.get("enduser.id"),
                "trace_id": trace_id,
            }
        ),
    }
