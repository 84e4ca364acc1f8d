"""Reads the ids of a span: its trace and span ids, the response id, and LiteLLM's id of the call."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from logs.formats.corrections import fitted
from logs.formats.dialects import Attributes, first
from logs.formats.identity import (
    LABEL_CHARACTERS,
    SPAN_ID_CHARACTERS,
    Identity,
    bounded,
    storable_id,
)
from logs.formats.statuses import CLIENT_DISCONNECTED

UNNAMED: Final = "OpenTelemetry"


def kept_id(text: str) -> str:
    """Returns the id of a trace or span in a form that can be stored; "" for an invalid one (all zeros)."""
    return storable_id(text, SPAN_ID_CHARACTERS) if text.strip("0") else ""


def span_identity(
    span: Span,
    record: Mapping[str, Any],
    attributes: Attributes,
    around: Attributes,
    *,
    trace_id: str,
    span_id: str,
    parent_id: str,
    scope: str,
) -> Identity:
    """Returns the ids of a span that is a model call; `record` is the call in Callboard's own format.

    A span without a trace id or a span id is identified by a hash of its values.
    """
    # A failed call has no response. LiteLLM then sends a response id that is the same for every attempt.
    said = first(attributes, "response_id")
    has_failed = record.get("error") and record.get("status") != CLIENT_DISCONNECTED
    response_id = "" if has_failed else storable_id(said)
    observer = fitted(scope) or UNNAMED
    is_in_trace = bool(trace_id and span_id)
    name = bounded(f"{trace_id}-{span_id}") if is_in_trace else f"span-{_digest(span, response_id)}"
    return Identity(
        source=bounded(f"{fitted(first(around, 'service')) or ''}|{observer}", LABEL_CHARACTERS),
        label=f"{observer}: {fitted(span.name) or UNNAMED}"[:LABEL_CHARACTERS],
        trace_id=trace_id if is_in_trace else "",
        span_id=span_id if is_in_trace else name,
        parent_id=parent_id if is_in_trace else "",
        response_id=response_id,
        litellm_id=storable_id(first(attributes, "litellm_call_id")),
        span_name=name,
        known_as=(response_id,) if response_id and response_id == said else (),
    )


def _digest(span: Span, response_id: str) -> str:
    told = Span()
    told.CopyFrom(span)
    told.ClearField("events")
    said = told.SerializeToString(deterministic=True)
    return hashlib.sha256(said + response_id.encode()).hexdigest()[:32]


def request_id_of_span(identity: Identity) -> str:
    """Returns the request id for the call of a span: the response id, or else the id of the span."""
    return next(iter(identity.known_as), identity.span_name)
