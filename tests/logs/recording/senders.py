"""What gateways and instrumentations send, for the tests of which reports are of one call."""

import json
from datetime import datetime, timedelta
from typing import Any

from tests.logs.conftest import NOW, report

START = NOW - timedelta(minutes=30)


def nanos(at: datetime) -> str:
    return f"{round(at.timestamp() * 1_000_000)}000"


def hexed(name: str, digits: int) -> str:
    """An id of a trace (32 digits) or span (16) for a short name; "" stays."""
    return name.encode().hex().ljust(digits, "a")[:digits] if name else ""


def span(
    name: str,
    parent: str = "",
    *,
    trace: str = "t",
    at: float = 0,
    seconds: float = 2,
    scope: str = "sdk",
    service: str = "shop",
    **said: Any,
) -> dict[str, Any]:
    """A span, `at` seconds after START. `said`: model, tokens in and out, `response`, or attributes by their name."""
    start = START + timedelta(seconds=at)
    names = {
        "model": "gen_ai.request.model",
        "tokens_in": "gen_ai.usage.input_tokens",
        "tokens_out": "gen_ai.usage.output_tokens",
        "response": "gen_ai.response.id",
    }
    attributes = {names.get(key, key): value for key, value in said.items()}
    return {
        "scope": scope,
        "service": service,
        "traceId": hexed(trace, 32),
        "spanId": hexed(name, 16),
        "parentSpanId": hexed(parent, 16),
        "name": name,
        "startTimeUnixNano": nanos(start),
        "endTimeUnixNano": nanos(start + timedelta(seconds=seconds)),
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
    }


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def chat(
    name: str, parent: str = "", tokens: tuple[int, int] | None = (1000, 100), **said: Any
) -> dict[str, Any]:
    """A span that is a call to a model."""
    used = {"tokens_in": tokens[0], "tokens_out": tokens[1]} if tokens else {}
    return span(name, parent, **{"model": "gpt-4o-mini", "gen_ai.operation.name": "chat"} | used | said)


def traces(*spans: dict[str, Any]) -> bytes:
    """The request that exports these spans, in that order."""
    groups = []
    for one in spans:
        own = {key: value for key, value in one.items() if key not in {"scope", "service"}}
        service = [{"key": "service.name", "value": {"stringValue": one["service"]}}]
        scope = {"scope": {"name": one["scope"]}, "spans": [own]}
        groups.append({"resource": {"attributes": service}, "scopeSpans": [scope]})
    return json.dumps({"resourceSpans": groups}).encode()


def send_spans(client: Any, key: str, *spans: dict[str, Any]) -> None:
    """Exports the spans in one request, which must be content with all of them."""
    answer = report(client, "/otlp/v1/traces", key, traces(*spans))
    assert (answer.status_code, answer.content) == (200, b"{}"), answer.content


def payload(
    call_id: str = "call-1",
    *,
    at: float = 0,
    seconds: float = 2,
    tokens: tuple[int, int] = (1000, 100),
    cost: float | None = 0.5,
    **fields: Any,
) -> dict[str, Any]:
    """What LiteLLM's callback posts of a call that began `at` seconds after START."""
    start = (START + timedelta(seconds=at)).timestamp()
    return {
        "id": f"chatcmpl-{call_id}-{at}",
        "litellm_call_id": call_id,
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "openai",
        "model": "gpt-4o-mini",
        "model_group": "gpt-4o-mini",
        "startTime": start,
        "endTime": start + seconds,
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "response_cost": cost,
        "metadata": {},
        **fields,
    }


def failed_attempt(
    call_id: str = "call-1", *, deployment: str = "east", status: int = 500, **fields: Any
) -> dict[str, Any]:
    """The payload of an attempt of a deployment that failed."""
    error = {"error_code": str(status), "error_class": "SomeError", "error_message": "It broke"}
    said = {"status": "failure", "model_id": deployment, "error_information": error}
    values: dict[str, Any] = {"tokens": (0, 0), "cost": 0} | said | fields
    return payload(call_id, **values)


def send_payloads(client: Any, key: str, *payloads: dict[str, Any]) -> tuple[int, int]:
    """Posts the payloads in one batch, none of which may be rejected: how many were accepted, and duplicates."""
    answer = report(client, "/api/v1/litellm", key, list(payloads)).json()
    assert answer["rejected"] == []
    return answer["accepted"], answer["duplicates"]
