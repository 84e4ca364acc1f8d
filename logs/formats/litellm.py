"""LiteLLM's `generic_api` callback: converts a StandardLoggingPayload to a `ReportedCall`.

Prompts, answers, tracebacks and the price table in the payload are not stored.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from logs.formats.corrections import Notes, fitted, note, read_cost, read_duration, read_number, read_tokens
from logs.formats.dialects import asks_a_model
from logs.formats.identity import LITELLM, Identity, bounded, storable_id
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.formats.statuses import CLIENT_DISCONNECTED, gateway_status, known_status
from logs.formats.translated import (
    endpoint_of,
    first_email,
    first_token,
    fitted_address,
    fitted_metadata,
    object_at,
    parse_translated,
    service_tier_of,
)
from logs.formats.usage import TOKEN_FIELDS, consistent, provider_usage

REQUEST_ID: Final = "litellm_call_id"
_USAGE: Final = "metadata.usage_object"
_NAMES: Final[Mapping[str, str]] = {
    "request_id": REQUEST_ID,
    "started_at": "startTime",
    "latency_ms": "endTime",
    "ttft_ms": "completionStartTime",
    **dict.fromkeys(TOKEN_FIELDS, _USAGE),
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cost_usd": "response_cost",
    "provider": "custom_llm_provider",
    "endpoint": "call_type",
    "channel": "model_id",
    "tags": "request_tags",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TIME: Final = 64
_FAR_AWAY: Final = 10**11  # seconds; the year 5138


def parse_payload(record: object, now: datetime) -> ReportedCall | None:
    """Converts one payload (a parsed JSON value) to a call; `now` is the current time, aware.

    Returns None for a payload that is not about a model call: the proxy also reports retrieved responses,
    listed files and tool calls. Raises `InvalidRecordError` naming LiteLLM's field, and no other exception.
    """
    if not isinstance(record, dict):
        raise InvalidRecordError(None, _("A record must be a StandardLoggingPayload, an object."))
    if not asks_a_model(record.get("call_type")):
        return None
    failed = record.get("status") == "failure"
    failure = _failure(record, failed)
    notes = Notes()
    fields = {
        **_times(record, notes),
        **_request(record, failed),
        **_models(record),
        **_usage(record, notes),
        **_who(record),
        **_description(record),
        **failure,
        "cost_usd": read_cost("response_cost", _cost(record, bool(failure)), notes),
        "corrections": notes,
    }
    call = parse_translated(fields, _NAMES, now)
    call.identity = _identity(record, call)
    return call


def _times(record: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """Returns the fields about time. Raises InvalidRecordError if `startTime` is missing or invalid.

    `completionStartTime` is the time of the first token of a stream; without streaming it is the end.
    """
    start = _microseconds(record.get("startTime"))
    if start is None:
        raise InvalidRecordError("startTime", _("startTime must be seconds since 1970."))
    end = _later(record, "endTime", start, notes)
    is_stream = record.get("stream") in (True, "True", "true")
    first = _later(record, "completionStartTime", start, notes) if is_stream else None
    return {
        "started_at": datetime.fromtimestamp(start / 1_000_000, UTC),
        "latency_ms": _milliseconds(start, end),
        "stream": is_stream,
        "ttft_ms": _milliseconds(start, first) if first != end else None,
    }


def _microseconds(value: object) -> int | None:
    """Returns a time as microseconds since 1970; None if there is no valid one.

    `value` is a number of seconds since 1970, or an ISO 8601 text with a UTC offset.
    """
    number = read_number(value)
    if number is not None:
        return round(float(number) * 1_000_000) if 0 < number < _FAR_AWAY else None
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= _LONGEST_TIME else None
        if at is not None and at.tzinfo is not None:
            return max(0, (at - _EPOCH) // timedelta(microseconds=1)) or None
    return None


def _later(record: dict[str, Any], field: str, start: int, notes: Notes) -> int | None:
    """Returns the time in `field` as microseconds since 1970; None if it is missing or invalid.

    A time before `start`, or more than seven days after it, is invalid and noted.
    """
    value = record.get(field)
    if value is None or value == "":
        return None
    at = _microseconds(value)
    if at is None:
        notes.append(note(field, _("must be seconds since 1970"), _("left out")))
        return None
    return at if read_duration(field, (at - start) / 1000, notes) is not None else None


def _milliseconds(start: int, at: int | None) -> int | None:
    return None if at is None else round((at - start) / 1000)


def _request(record: dict[str, Any], failed: bool) -> dict[str, Any]:
    """Returns the field `request_id`.

    LiteLLM's router retries a call under the same `litellm_call_id`. The successful call gets this id. A failed
    attempt of a deployment gets the id followed by its start time.
    """
    if not isinstance(record.get(REQUEST_ID) or "", str):
        return {"request_id": record[REQUEST_ID]}  # not a string: rejected by validation
    call_id = _call_id(record)
    if failed and record.get("model_id"):
        call_id = bounded(f"{call_id}:{_microseconds(record.get('startTime'))}")
    return {"request_id": call_id}


def _call_id(record: dict[str, Any]) -> str:
    """Returns LiteLLM's id of the call, or the response id.

    Without either, a hash of the values by which calls differ.
    """
    named = storable_id(record.get(REQUEST_ID)) or storable_id(record.get("id"))
    if named.strip():
        return named
    said = [
        str(record.get(name))
        for name in ("startTime", "endTime", "model", "model_id", "total_tokens", "response_cost")
    ]
    return f"litellm-{hashlib.sha256('|'.join(said).encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _identity(record: dict[str, Any], call: ReportedCall) -> Identity:
    call_id, deployment = _call_id(record), storable_id(record.get("model_id"))
    response_id = "" if call.failed else storable_id(record.get("id"))
    start = _microseconds(record.get("startTime"))
    said = f"{call_id}|{start}|{call.status if call.failed else 0}|{deployment if call.failed else ''}"
    return Identity(
        source=LITELLM,
        label=LITELLM,
        span_id=hashlib.sha256(said.encode()).hexdigest()[:32],
        response_id=response_id,
        litellm_id=call_id,
        deployment=deployment if call.failed else "",
        known_as=(response_id,) if response_id else (),
    )


def _models(record: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields `model` (requested) and `response_model` (answered, if its name differs).

    `model_group` is the model that the user asked for; "" if LiteLLM did not know it. LiteLLM often renames the
    model in the response to it; the model of the deployment then shows which one answered.
    """
    group, model = _text(record, "model_group"), _without_provider(record, _text(record, "model"))
    asked = group or model
    priced_as = _text(object_at(record, "model_map_information"), "model_map_key")
    answers = (_text(object_at(record, "response"), "model"), _without_provider(record, priced_as), model)
    answered = next((name for name in answers if name and name != asked), None)
    return {"model": asked or record.get("model"), "response_model": answered}


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) and value.strip() else ""


def _without_provider(record: dict[str, Any], model: str) -> str:
    """Returns the model without its provider: "openai/gpt-4o-mini" becomes "gpt-4o-mini"."""
    return model.removeprefix(f"{_text(record, 'custom_llm_provider')}/")


def _usage(record: dict[str, Any], notes: Notes) -> dict[str, int]:
    """Returns the numbers of tokens by field.

    Cached and reasoning tokens are only in the provider's usage object, under several names.
    """
    usage = object_at(record, "metadata", "usage_object") or object_at(record, "hidden_params", "usage_object")
    told = provider_usage(usage)
    for field, name in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")):
        if record.get(name) is not None:
            told[field] = record[name]
    tokens = {field: read_tokens(_NAMES[field], value, notes) for field, value in told.items()}
    return consistent(tokens, _NAMES, notes)


def _cost(record: dict[str, Any], failed: bool) -> object:
    """Returns the cost in US dollars as it was sent.

    None if LiteLLM's 0 means that it knows no price, or that the call failed.
    """
    cost = record.get("response_cost")
    is_unknown = failed or record.get("response_cost_failure_debug_info") or _has_no_price(record)
    return None if is_unknown and read_number(cost) == 0 else cost


def _has_no_price(record: dict[str, Any]) -> bool:
    """Whether LiteLLM could not price the model: its price table has no row for it, or an empty one.

    False for a call that was answered from LiteLLM's cache, which rightly costs nothing.
    """
    told = object_at(record, "model_map_information")
    if "model_map_value" not in told or record.get("cache_hit") in (True, "True", "true"):
        return False
    row = object_at(told, "model_map_value")
    says_something = ("input_cost_per_token", "output_cost_per_token", "mode", "max_tokens")
    return not any(row.get(name) for name in says_something)


def _who(record: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields that name the caller: a token if the payload contains one, otherwise team and member.

    A member is recognised only by an e-mail address.
    """
    metadata = object_at(record, "metadata")
    own = object_at(metadata, "user_api_key_auth_metadata")
    token = own.get("callboard_token") or first_token(
        metadata.get("user_api_key_hash"), metadata.get("user_api_key_alias")
    )
    if token:
        return {"token": token}
    member = first_email(
        metadata.get("user_api_key_user_email"),
        record.get("end_user"),
        metadata.get("user_api_key_end_user_id"),
        object_at(record, "model_parameters").get("user"),  # set when the SDK is used without a proxy
    )
    return {"team": own.get("callboard_team"), "member": member}


def _description(record: dict[str, Any]) -> dict[str, Any]:
    metadata, tags = object_at(record, "metadata"), record.get("request_tags")
    return {
        "provider": record.get("custom_llm_provider"),
        "endpoint": endpoint_of(record.get("call_type")),
        "channel": record.get("model_id"),
        "ip": fitted_address(record.get("requester_ip_address") or metadata.get("requester_ip_address")),
        "user_agent": record.get("user_agent") or metadata.get("user_agent"),
        "session_id": record.get("session_id"),
        "tags": [tag for tag in tags if tag != ""] if isinstance(tags, list) else tags,
        "service_tier": service_tier_of(
            object_at(record, "response").get("service_tier"),
            object_at(metadata, "usage_object").get("service_tier"),
            object_at(record, "cost_breakdown").get("service_tier"),
            object_at(record, "model_parameters").get("service_tier"),
        ),
        "metadata": fitted_metadata(
            {
                "litellm_model": record.get("model"),
                "cache_hit": record.get("cache_hit") in (True, "True", "true") or None,
                "key_alias": metadata.get("user_api_key_alias"),
                "team_alias": metadata.get("user_api_key_team_alias"),
                "user_id": metadata.get("user_api_key_user_id"),
                "end_user": record.get("end_user"),
                "spend_logs_metadata": metadata.get("spend_logs_metadata"),
            }
        ),
    }


def _failure(record: dict[str, Any], failed: bool) -> dict[str, Any]:
    """Returns the fields `status` and `error` of a call that failed or whose client disconnected.

    Returns {} for other calls. `error_code` is usually the HTTP status, but may be a word or missing. Then
    `normalized_error` or the exception's class determines the status.
    """
    error = object_at(record, "error_information")
    hints = [error.get(name) for name in ("error_code", "normalized_error", "error_class")]
    if not failed and CLIENT_DISCONNECTED not in (known_status(hint) for hint in hints if hint):
        return {}
    code = error.get("error_code")
    return {
        "status": gateway_status(*hints),
        "error": {
            "type": fitted(error.get("error_class"), 128),
            "code": fitted(str(code), 128) if isinstance(code, str | int) else None,
            "message": fitted(error.get("error_message"), 1000) or fitted(record.get("error_str"), 1000),
        },
    }
