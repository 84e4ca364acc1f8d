"""Callboard's own format, `POST /api/v1/calls` (`docs/api.md`): converts a record to a `ReportedCall`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _

from logs.formats.metadata import kept_metadata
from logs.formats.readers import (
    Reader,
    address,
    boolean,
    cost,
    cut_text,
    invalid,
    one_of,
    text,
    time,
    whole_number,
)
from logs.formats.reported import InvalidRecordError, ReportedCall

REQUEST_ID_CHARACTERS: Final = 128
MODEL_CHARACTERS: Final = 128
LABEL_CHARACTERS: Final = 64  # at most, in provider, endpoint, channel and each tag
MAX_TAGS: Final = 16
RESPONSE_MODEL_CHARACTERS: Final = 256
SERVICE_TIERS: Final = ("default", "flex", "priority", "batch")
MAX_TOKENS: Final = 10**9
LONGEST_MS: Final = timedelta(days=7) // timedelta(milliseconds=1)
_WHO_CHARACTERS: Final = 254  # the longest e-mail address (RFC 5321); secrets and slugs are shorter


def parse_call(record: object, now: datetime) -> ReportedCall:
    """Converts a record (a parsed JSON value) to a `ReportedCall`; `now` is the current time, aware.

    Unknown fields are ignored, and null means that a field is absent. Raises `InvalidRecordError` naming the
    invalid field, and no other exception, whatever the record is.
    """
    if not isinstance(record, dict):
        raise InvalidRecordError(None, _("A record must be an object with request_id, started_at and model."))
    for field in ("request_id", "started_at", "model"):
        if record.get(field) is None:
            raise invalid(field, _("is required."))
    values: dict[str, Any] = {"started_at": time("started_at", record["started_at"], now)}
    for field, value in record.items():
        known = READERS.get(field)
        if known is not None and value is not None:
            values[known.attribute] = known.read(field, value)
    error = values.pop("error", None)
    if error is not None:
        values.update(error)
    call = ReportedCall(**values)
    for part, whole in PARTS.items():
        if getattr(call, part) > getattr(call, whole):
            raise invalid(part, _("must not be more than %s, which include them.") % whole)
    return call


# Numbers of tokens that are included in another number, by field: the field that includes them.
PARTS: Final[Mapping[str, str]] = {
    "cached_tokens": "input_tokens",
    "cache_write_1h_tokens": "cache_write_tokens",
    "input_audio_tokens": "input_tokens",
    "output_audio_tokens": "output_tokens",
}


def request_id_of(record: object, field: str = "request_id") -> str | None:
    """Returns the request id of a rejected record; None if it has no valid one.

    The answer contains it, so that the sender can find the record.
    """
    try:
        return text(REQUEST_ID_CHARACTERS)(field, record[field]) if isinstance(record, dict) else None
    except (KeyError, InvalidRecordError):
        return None


def _error(field: str, value: object) -> dict[str, Any]:
    """Reads the field `error`: an object with optional `type`, `code` and `message`.

    Even an empty object means that the call failed. Returns attributes of `ReportedCall` with their values.
    """
    if not isinstance(value, dict):
        raise invalid(field, _("must be an object; type, code and message are optional."))
    return {"has_error": True} | {
        f"error_{part}": reader(f"{field}.{part}", value[part])
        for part, reader in _ERROR_PARTS.items()
        if value.get(part) is not None
    }


_ERROR_PARTS: Final[Mapping[str, Reader]] = {
    "type": cut_text(128),
    "code": cut_text(128),
    "message": cut_text(1000),
}


def _tags(field: str, value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        raise invalid(field, _("must be a list of at most %d strings.") % MAX_TAGS)
    return [_label(f"{field}[{index}]", tag) for index, tag in enumerate(value)]


_label: Final = text(LABEL_CHARACTERS)


class Field(NamedTuple):
    """A field of a record: the attribute of `ReportedCall` that it sets, its reader, and its OpenAPI schema."""

    attribute: str
    read: Reader
    schema: dict[str, Any]


def _text(attribute: str, limit: int, about: str = "", *, required: bool = False) -> Field:
    schema = {"type": "string", "maxLength": limit} | ({"description": about} if about else {})
    return Field(attribute, text(limit, required=required), schema)


def _cut_text(attribute: str, limit: int) -> Field:
    return Field(attribute, cut_text(limit), {"type": "string", "description": f"cut at {limit} characters"})


def _number(attribute: str, low: int, high: int, **more: Any) -> Field:
    return Field(
        attribute, whole_number(low, high), {"type": "integer", "minimum": low, "maximum": high, **more}
    )


def _tokens(attribute: str, about: str = "") -> Field:
    return _number(attribute, 0, MAX_TOKENS, default=0, **({"description": about} if about else {}))


# `started_at` is not here, because its reader needs the current time.
READERS: Final[Mapping[str, Field]] = {
    "request_id": _text("request_id", REQUEST_ID_CHARACTERS, "unique per team and mode", required=True),
    "model": _text("model", MODEL_CHARACTERS, required=True),
    "status": _number("status", 100, 599, default=200),
    "latency_ms": _number("latency_ms", 0, LONGEST_MS, type=["integer", "null"]),
    "ttft_ms": _number("ttft_ms", 0, LONGEST_MS, type=["integer", "null"]),
    "stream": Field("stream", boolean, {"type": "boolean", "default": False}),
    "input_tokens": _tokens("input_tokens", "with those of the cache"),
    "output_tokens": _tokens("output_tokens"),
    "cached_tokens": _tokens("cached_tokens"),
    "cache_write_tokens": _tokens("cache_write_tokens"),
    "reasoning_tokens": _tokens("reasoning_tokens"),
    "cost_usd": Field(
        "cost_nanos",
        cost,
        {"type": ["string", "number", "null"], "description": "absent: computed from the price list"},
    ),
    "provider": _text("provider", LABEL_CHARACTERS),
    "endpoint": _text("endpoint", LABEL_CHARACTERS),
    "channel": _text("channel", LABEL_CHARACTERS),
    "error": Field(
        "error",
        _error,
        {"type": ["object", "null"], "properties": {key: {"type": "string"} for key in _ERROR_PARTS}},
    ),
    "ip": Field("ip", address, {"type": "string"}),
    "user_agent": _cut_text("user_agent", 256),
    "session_id": _cut_text("session_id", 128),
    "tags": Field(
        "tags",
        _tags,
        {"type": "array", "items": {"type": "string", "maxLength": LABEL_CHARACTERS}, "maxItems": MAX_TAGS},
    ),
    "metadata": Field(
        "metadata",
        kept_metadata,
        {"type": "object", "description": "4 KiB at most; prompts and answers are dropped"},
    ),
    "token": _text("token", _WHO_CHARACTERS, "with a gateway key: the caller's token or its id"),
    "team": _text("team", _WHO_CHARACTERS, "with a gateway key: slug"),
    "member": _text("member", _WHO_CHARACTERS, "with a gateway key: address"),
    "reservation": _text("reservation", _WHO_CHARACTERS, "settles that reservation"),
    "response_model": _text(
        "response_model", RESPONSE_MODEL_CHARACTERS, "the model that answered; priced by this"
    ),
    "service_tier": Field("service_tier", one_of(*SERVICE_TIERS), {"enum": list(SERVICE_TIERS)}),
    "cache_write_1h_tokens": _tokens(
        "cache_write_1h_tokens", "the part of cache_write_tokens kept for an hour"
    ),
    "input_audio_tokens": _tokens("input_audio_tokens", "part of input_tokens"),
    "output_audio_tokens": _tokens("output_audio_tokens", "part of output_tokens"),
}


def call_schema() -> dict[str, Any]:
    """Returns the OpenAPI schema of a record."""
    started_at = {
        "type": "string",
        "format": "date-time",
        "description": "at most 10 minutes ahead; rejected if the team's calls of that time were deleted",
    }
    fields = {name: field.schema for name, field in READERS.items()}
    return {
        "type": "object",
        "properties": {"started_at": started_at, **fields},
        "required": ["request_id", "started_at", "model"],
    }
