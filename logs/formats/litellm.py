"""What LiteLLM's `generic_api` callback posts: one StandardLoggingPayload to one `ReportedCall` (API.md §4).

Prompts, answers, tracebacks and the price table that come along are left behind.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.formats.translated import (
    first_email,
    first_token,
    fitted,
    fitted_address,
    fitted_endpoint,
    fitted_metadata,
    fitted_tags,
    object_at,
    parse_translated,
    with_cached_inside,
)

REQUEST_ID: Final = "litellm_call_id"
_NAMES: Final[Mapping[str, str]] = {
    "request_id": REQUEST_ID,
    "started_at": "startTime",
    "latency_ms": "endTime",
    "ttft_ms": "completionStartTime",
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cached_tokens": "metadata.usage_object",
    "cache_write_tokens": "metadata.usage_object",
    "reasoning_tokens": "metadata.usage_object",
    "cost_usd": "response_cost",
}
_FAR_AWAY: Final = 10**11  # seconds; the year 5138


def parse_payload(record: object, now: datetime) -> ReportedCall:
    """The call of one payload (a value out of `logs.formats.bodies`); `now` is aware.

    Raises `InvalidRecordError` with LiteLLM's name of the field to blame, and nothing else.
    """
    if not isinstance(record, dict):
        raise InvalidRecordError(None, _("A record must be a StandardLoggingPayload, an object."))
    failed = record.get("status") == "failure"
    fields = {
        **_times(record),
        **_request(record, failed),
        **_usage(record),
        **_who(record),
        **_description(record),
        **(_failure(record) if failed else {}),
        "cost_usd": _cost(record, failed),
    }
    return parse_translated(fields, _NAMES, now)


def _times(record: dict[str, Any]) -> dict[str, Any]:
    """`completionStartTime` is the first token of a stream; of anything else it is the end."""
    start = _microseconds(record, "startTime")
    end = _microseconds(record, "endTime")
    first = _microseconds(record, "completionStartTime")
    if start is None:
        raise InvalidRecordError("startTime", _("startTime is required."))
    is_stream = record.get("stream") is True
    return {
        "started_at": datetime.fromtimestamp(start / 1_000_000, UTC),
        "latency_ms": _milliseconds(start, end),
        "stream": is_stream,
        "ttft_ms": _milliseconds(start, first) if is_stream and first != end else None,
    }


def _microseconds(record: dict[str, Any], field: str) -> int | None:
    """A time in float seconds since 1970, to the microsecond."""
    value = record.get(field)
    if value is None:
        return None
    with suppress(ValueError, OverflowError):
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            seconds = float(value)
            if 0 <= seconds < _FAR_AWAY:  # false for NaN, too
                return round(seconds * 1_000_000)
    message = _("%s must be seconds since 1970 (generic_api_use_v1 must be off).") % field
    raise InvalidRecordError(field, message)


def _milliseconds(start: int, end: int | None) -> int | None:
    """The time between, or None when it is not known: a clock that went back tells nothing."""
    return None if end is None or end < start else round((end - start) / 1000)


def _request(record: dict[str, Any], failed: bool) -> dict[str, Any]:
    """Id and model: `model_group` is what the user asked for, "" if LiteLLM did not know it.

    A router tries again under the same `litellm_call_id`, when the failure may be reported already. So
    the failed attempt of a deployment has its time in the id, or it would keep out the call that went well.
    """
    call_id = record.get(REQUEST_ID) or record.get("id")
    if failed and record.get("model_id") and isinstance(call_id, str):
        call_id = f"{call_id}:{_microseconds(record, 'startTime')}"
    return {"request_id": call_id, "model": fitted(record.get("model_group"), 128) or _model(record)}


def _model(record: dict[str, Any]) -> object:
    """The model as its provider names it: "openai/gpt-4o-mini" without the provider."""
    model, provider = record.get("model"), record.get("custom_llm_provider")
    if isinstance(model, str) and isinstance(provider, str):
        return model.removeprefix(f"{provider}/")
    return model


def _usage(record: dict[str, Any]) -> dict[str, Any]:
    """Tokens. Cached ones and reasoning are only in the provider's own usage, under several names."""
    usage = object_at(record, "metadata", "usage_object") or object_at(record, "hidden_params", "usage_object")
    read = object_at(usage, "prompt_tokens_details")
    written = object_at(usage, "completion_tokens_details")
    return with_cached_inside(
        {
            "input_tokens": record.get("prompt_tokens"),
            "output_tokens": record.get("completion_tokens"),
            "cached_tokens": read.get("cached_tokens") or usage.get("cache_read_input_tokens"),
            "cache_write_tokens": usage.get("cache_creation_input_tokens") or read.get("cache_creation_tokens"),
            "reasoning_tokens": written.get("reasoning_tokens"),
        }
    )


def _cost(record: dict[str, Any], failed: bool) -> object:
    """Dollars; None where LiteLLM's 0 means that it knows no price, or that a failure cost nothing."""
    cost = record.get("response_cost")
    is_unknown = failed or record.get("response_cost_failure_debug_info")
    return None if cost == 0 and is_unknown else cost


def _who(record: dict[str, Any]) -> dict[str, Any]:
    """The caller: a token if the gateway knows one, else the member by e-mail address."""
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
        object_at(record, "model_parameters").get("user"),  # where the SDK without a proxy has it
    )
    return {"team": own.get("callboard_team"), "member": member}


def _description(record: dict[str, Any]) -> dict[str, Any]:
    metadata = object_at(record, "metadata")
    return {
        "provider": fitted(record.get("custom_llm_provider")),
        "endpoint": fitted_endpoint(record.get("call_type")),
        "channel": fitted(record.get("model_id")),
        "ip": fitted_address(record.get("requester_ip_address") or metadata.get("requester_ip_address")),
        "user_agent": fitted(record.get("user_agent") or metadata.get("user_agent"), 256),
        "session_id": fitted(record.get("session_id"), 128),
        "tags": fitted_tags(record.get("request_tags")),
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


def _failure(record: dict[str, Any]) -> dict[str, Any]:
    """Status and error. `error_code` is the HTTP status, but may be a word or nothing: then it is 500."""
    error = object_at(record, "error_information")
    code = str(error.get("error_code") or "")
    is_status = len(code) == 3 and code.isdecimal() and "400" <= code <= "599"
    return {
        "status": int(code) if is_status else 500,
        "error": {
            "type": fitted(error.get("error_class"), 128),
            "code": fitted(code, 128),
            "message": fitted(error.get("error_message"), 1000) or fitted(record.get("error_str"), 1000),
        },
    }
