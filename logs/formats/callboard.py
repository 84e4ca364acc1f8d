"""Callboard's own format, `POST /api/v1/calls` (API.md §3): one record to one `ReportedCall`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

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
LABEL_CHARACTERS: Final = 64  # of provider, endpoint, channel and each tag
MAX_TAGS: Final = 16
RESPONSE_MODEL_CHARACTERS: Final = 256
SERVICE_TIERS: Final = ("default", "flex", "priority", "batch")
MAX_TOKENS: Final = 10**9
LONGEST_MS: Final = timedelta(days=7) // timedelta(milliseconds=1)
_WHO_CHARACTERS: Final = 254  # the longest of the secrets, slugs and e-mail addresses (RFC 5321)


def parse_call(record: object, now: datetime) -> ReportedCall:
    """The call that a record (a value out of `logs.formats.bodies`) reports; `now` is aware.

    Unknown fields are ignored, null is the same as absent. Raises `InvalidRecordError` with the field to
    blame, and nothing else, whatever the record is.
    """
    if not isinstance(record, dict):
        raise InvalidRecordError(None, _("A record must be an object with request_id, started_at and model."))
    for field in ("request_id", "started_at", "model"):
        if record.get(field) is None:
            raise invalid(field, _("is required."))
    values: dict[str, Any] = {"started_at": time("started_at", record["started_at"], now)}
    for field, value in record.items():
        reader = READERS.get(field)
        if reader is not None and value is not None:
            values[reader[0]] = reader[1](field, value)
    error = values.pop("error", None)
    if error is not None:
        values.update(error)
    call = ReportedCall(**values)
    for part, whole in PARTS.items():
        if getattr(call, part) > getattr(call, whole):
            raise invalid(part, _("must not be more than %s, which include them.") % whole)
    return call


# Tokens that are counted among others.
PARTS: Final[Mapping[str, str]] = {
    "cached_tokens": "input_tokens",
    "cache_write_1h_tokens": "cache_write_tokens",
    "input_audio_tokens": "input_tokens",
    "output_audio_tokens": "output_tokens",
}


def request_id_of(record: object, field: str = "request_id") -> str | None:
    """The request id of a record that was rejected, so that its sender finds it again; None if it has none."""
    try:
        return text(REQUEST_ID_CHARACTERS)(field, record[field]) if isinstance(record, dict) else None
    except (KeyError, InvalidRecordError):
        return None


def _error(field: str, value: object) -> dict[str, Any]:
    """`{"type", "code", "message"}`, each optional: even an empty one says that the call failed."""
    if not isinstance(value, dict):
        raise invalid(field, _("must be an object with type, code and message."))
    return {"has_error": True} | {
        f"error_{part}": reader(f"{field}.{part}", value[part])
        for part, reader in _ERRORPARTS.items()
        if value.get(part) is not None
    }


_ERRORPARTS: Final[Mapping[str, Reader]] = {
    "type": cut_text(128),
    "code": cut_text(128),
    "message": cut_text(1000),
}


def _tags(field: str, value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        raise invalid(field, _("must be a list of at most %d strings.") % MAX_TAGS)
    return [_label(f"{field}[{index}]", tag) for index, tag in enumerate(value)]


_label: Final = text(LABEL_CHARACTERS)
_tokens: Final = whole_number(0, MAX_TOKENS)
_milliseconds: Final = whole_number(0, LONGEST_MS)
_who: Final = text(_WHO_CHARACTERS)

# Each field of a record: the attribute of ReportedCall that it fills, and its reader. `started_at` is
# not here, because its reader needs to know the time.
READERS: Final[Mapping[str, tuple[str, Reader]]] = {
    "request_id": ("request_id", text(REQUEST_ID_CHARACTERS, required=True)),
    "model": ("model", text(128, required=True)),
    "status": ("status", whole_number(100, 599)),
    "latency_ms": ("latency_ms", _milliseconds),
    "ttft_ms": ("ttft_ms", _milliseconds),
    "stream": ("stream", boolean),
    "input_tokens": ("input_tokens", _tokens),
    "output_tokens": ("output_tokens", _tokens),
    "cached_tokens": ("cached_tokens", _tokens),
    "cache_write_tokens": ("cache_write_tokens", _tokens),
    "reasoning_tokens": ("reasoning_tokens", _tokens),
    "cost_usd": ("cost_nanos", cost),
    "provider": ("provider", _label),
    "endpoint": ("endpoint", _label),
    "channel": ("channel", _label),
    "error": ("error", _error),
    "ip": ("ip", address),
    "user_agent": ("user_agent", cut_text(256)),
    "session_id": ("session_id", cut_text(128)),
    "tags": ("tags", _tags),
    "metadata": ("metadata", kept_metadata),
    "token": ("token", _who),
    "team": ("team", _who),
    "member": ("member", _who),
    "reservation": ("reservation", _who),
    "response_model": ("response_model", text(RESPONSE_MODEL_CHARACTERS)),
    "service_tier": ("service_tier", one_of(*SERVICE_TIERS)),
    "cache_write_1h_tokens": ("cache_write_1h_tokens", _tokens),
    "input_audio_tokens": ("input_audio_tokens", _tokens),
    "output_audio_tokens": ("output_audio_tokens", _tokens),
}
