"""Converts a span with OpenTelemetry's GenAI attributes, old and new, to the field names of `docs/api.md`.

The conventions define no attributes for team, token or cost. The caller is read from `callboard.token`,
`callboard.team` and `callboard.member`, on the span or its resource; the cost from attributes of some SDKs.
Attributes with content (messages, prompts) are never read.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from logs.formats.corrections import Notes, fitted, note, read_cost, read_duration, read_tokens
from logs.formats.dialects import ATTRIBUTES, FIRST_CHUNK_EVENT, READ, first, model_of
from logs.formats.statuses import CLIENT_DISCONNECTED, failure_status, gateway_status, known_status
from logs.formats.translated import (
    endpoint_of,
    first_email,
    first_token,
    fitted_address,
    fitted_metadata,
    service_tier_of,
)
from logs.formats.usage import (
    TOKEN_FIELDS,
    Tokens,
    consistent,
    json_object,
    langfuse_cost,
    langfuse_usage,
    provider_usage,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NAMES: Final[Mapping[str, str]] = {
    **{field: names[0] for field, names in ATTRIBUTES.items()},
    "request_id": "spanId",
    "started_at": "startTimeUnixNano",
    "latency_ms": "endTimeUnixNano",
    "ttft_ms": "gen_ai.response.time_to_first_chunk",
    "model": "gen_ai.request.model",
    "endpoint": "gen_ai.operation.name",
}

Attributes = dict[str, Any]


def attributes_of(pairs: Iterable[KeyValue]) -> Attributes:
    """Returns the attributes that are read (`READ`), by name.

    Values other than strings, numbers and booleans become None.
    """
    return {pair.key: _value(pair.value) for pair in pairs if pair.key in READ}


def _value(value: AnyValue) -> str | bool | int | float | None:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in {"string_value", "bool_value", "int_value", "double_value"} else None


def span_record(span: Span, attributes: Attributes, around: Attributes, *, trace_id: str) -> dict[str, Any]:
    """Converts a span to a record in Callboard's own format, which `parse_call` then validates.

    The record has no request id yet (see `logs.formats.span_ids`). `attributes` are those of the span, `around`
    also includes those of its resource.
    """
    failure = _failure(span, attributes)
    notes = Notes()
    return {
        **_times(span, attributes, notes),
        **_usage(attributes, notes),
        "cost_usd": _cost(attributes, notes),
        **failure,
        **_who(around),
        **_description(around, trace_id),
        "corrections": notes,
    }


def _times(span: Span, attributes: Attributes, notes: Notes) -> dict[str, Any]:
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    ttft = _first_chunk(span, attributes, notes)
    return {
        "started_at": _EPOCH + timedelta(microseconds=start // 1000) if start else None,
        "latency_ms": read_duration(NAMES["latency_ms"], (end - start) / 1_000_000, notes) if end else None,
        "ttft_ms": ttft,
        "stream": ttft is not None or str(first(attributes, "stream")).lower() == "true",
    }


def _first_chunk(span: Span, attributes: Attributes, notes: Notes) -> int | None:
    """Returns the milliseconds from the start of the span to the first part of the answer; None if unknown."""
    seconds = first(attributes, "seconds_to_first_chunk")
    if seconds is not None:
        return read_duration(NAMES["ttft_ms"], seconds, notes, milliseconds=1000)
    milliseconds = first(attributes, "milliseconds_to_first_chunk")
    if milliseconds is not None:
        return read_duration(NAMES["milliseconds_to_first_chunk"], milliseconds, notes)
    start = span.start_time_unix_nano
    chunk = next((event for event in span.events if event.name == FIRST_CHUNK_EVENT), None)
    if chunk is not None:
        return read_duration(FIRST_CHUNK_EVENT, (chunk.time_unix_nano - start) / 1_000_000, notes)
    return _since(start, first(attributes, "first_chunk_at"), notes)


def _since(start: int, at: object, notes: Notes) -> int | None:
    """Returns the milliseconds from `start` to the time `at`; None if `at` is missing or not a time.

    `start` is in nanoseconds since 1970. `at` is a time as text; Langfuse puts it in quotes, as JSON.
    """
    if at is None:
        return None
    try:
        time = datetime.fromisoformat(str(at).strip('"'))
    except ValueError:
        notes.append(note(NAMES["first_chunk_at"], _("must be a time"), _("left out")))
        return None
    elapsed = (
        (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH - timedelta(microseconds=start // 1000)
    )
    return read_duration(NAMES["first_chunk_at"], elapsed / timedelta(milliseconds=1), notes)


def _usage(attributes: Attributes, notes: Notes) -> dict[str, int]:
    """Returns the numbers of tokens by field, each from the first attribute that has a valid number.

    What is missing is read from the object in which Langfuse or LiteLLM lists all kinds of tokens.
    """
    tokens: Tokens = {field: _tokens(attributes, field, notes) for field in TOKEN_FIELDS}
    if details := json_object(first(attributes, "usage_details")):
        told = langfuse_usage(details, notes, NAMES["usage_details"])
        tokens = {field: told[field] if value is None else value for field, value in tokens.items()}
    elif usage := _literal(first(attributes, "usage_object")):
        for field, value in provider_usage(usage).items():
            if tokens[field] is None:
                tokens[field] = read_tokens(NAMES["usage_object"], value, notes)
    return consistent(tokens, NAMES, notes)


def _tokens(attributes: Attributes, field: str, notes: Notes) -> int | None:
    for name in ATTRIBUTES[field]:
        if name in attributes and (tokens := read_tokens(name, attributes[name], notes)) is not None:
            return tokens
    return None


def _cost(attributes: Attributes, notes: Notes) -> object:
    found = (read_cost(name, attributes[name], notes) for name in ATTRIBUTES["cost_usd"] if name in attributes)
    dollars = next((dollars for dollars in found if dollars is not None), None)
    if dollars is None and (details := json_object(first(attributes, "cost_details"))):
        return langfuse_cost(details, notes, NAMES["cost_details"])
    return 0 if dollars is None and _is_from_cache(attributes) else dollars


def _is_from_cache(attributes: Attributes) -> bool:
    """Whether LiteLLM answered the call from its cache. Its span then has no cost."""
    known = json_object(first(attributes, "hidden_params"))
    return bool(known.get("cache_key")) and known.get("response_cost") == 0


def _literal(text: object) -> dict[str, Any]:
    """Parses a dict that LiteLLM wrote as Python source (`{'a': None}`).

    Returns {} for anything else, and if quotes inside a text make the conversion to JSON fail.
    """
    return json_object(_PYTHON.sub(lambda found: _JSON[found[0]], text)) if isinstance(text, str) else {}


_JSON: Final = {"'": '"', "None": "null", "True": "true", "False": "false"}
_PYTHON: Final = re.compile("|".join(_JSON))


def _failure(span: Span, attributes: Attributes) -> dict[str, Any]:
    """Returns the fields `status` and `error` of a failed span; {} for a successful one.

    A span has failed if its status is ERROR, or if it has an `error.type` or an HTTP status of 400 or more.
    """
    is_failed = span.status.code == Status.STATUS_CODE_ERROR or first(attributes, "level") == "ERROR"
    kind = fitted(str(attributes.get("error.type") or ""), 128)
    status = known_status(first(attributes, "http_status"))
    if not (kind or status or is_failed):
        return {}
    exception = _exception(span)
    kind = kind or fitted(exception.get("exception.type"), 128)
    message = span.status.message or first(attributes, "error_message") or exception.get("exception.message")
    return {
        "status": _status(attributes, status, kind, exception),
        "error": {
            "type": kind,
            "code": fitted(str(first(attributes, "error_code") or ""), 128),
            "message": fitted(message, 1000),
        },
    }


def _status(attributes: Attributes, status: int | None, kind: str | None, exception: Attributes) -> int:
    hints = (status, kind, first(attributes, "error_code"), exception.get("exception.type"))
    if first(attributes, "litellm_call_id") is None:
        return failure_status(*hints)
    # LiteLLM had begun to answer, and then lost the connection: the client had disconnected.
    is_answered = first(attributes, "http_status") is not None and status is None
    if is_answered and (kind or "").rpartition(".")[2] == "ConnectionError":
        return CLIENT_DISCONNECTED
    return gateway_status(*hints)


def _exception(span: Span) -> Attributes:
    """Returns the attributes of the span's last exception event; {} if there is none."""
    events = [event for event in span.events if event.name == "exception"]
    return attributes_of(events[-1].attributes) if events else {}


def _who(around: Attributes) -> dict[str, Any]:
    """Returns the fields that name the caller: a token (also one from LiteLLM's metadata), or team and member.

    A member is recognised only by an e-mail address.
    """
    token = first(around, "token") or first_token(
        _literal(first(around, "gateway_metadata")).get("callboard_token"),
        *(around.get(name) for name in ATTRIBUTES["gateway_token"]),
    )
    if token:
        return {"token": token}
    return {
        "team": first(around, "team"),
        "member": first_email(*(around.get(name) for name in ATTRIBUTES["member"])),
    }


def _description(around: Attributes, trace_id: str) -> dict[str, Any]:
    named = str(first(around, "provider_model") or "")
    provider, deployed = named.split("/", 1) if "/" in named else ("", named)
    model, response_model = model_of(around), first(around, "response_model") or deployed or None
    deployment = json_object(first(around, "hidden_params")).get("model_id")
    return {
        "model": model,
        "response_model": response_model if response_model != model else None,
        "provider": first(around, "provider") or provider,
        "endpoint": endpoint_of(first(around, "operation")),
        "channel": deployment or first(around, "channel"),
        "ip": fitted_address(first(around, "ip")),
        "user_agent": first(around, "user_agent"),
        "session_id": first(around, "session_id"),
        "service_tier": service_tier_of(*(around.get(name) for name in ATTRIBUTES["service_tier"])),
        "metadata": fitted_metadata(
            {
                "service": first(around, "service"),
                "response_model": response_model,
                "user_id": first(around, "user_id"),
                "trace_id": trace_id,
            }
        ),
    }
