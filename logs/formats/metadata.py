"""Reduces a call's metadata to what may be stored: small, valid in both databases, without message content."""

import json
import math
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from logs.formats.readers import clean_text, invalid

# Prompts and completions are never stored, whatever a sender believes.
CONTENT_KEYS: Final = frozenset({"messages", "prompt", "input", "output", "completion", "response"})
MAX_BYTES: Final = 4096
_MAX_DEPTH: Final = 16


def kept_metadata(field: str, value: object) -> dict[str, Any]:
    """Returns the object without the keys in `CONTENT_KEYS`, at any depth.

    Raises `InvalidRecordError` if the result is more than 4 KiB of JSON or cannot be stored.
    """
    if not isinstance(value, dict):
        raise invalid(field, _("must be an object."))
    kept: dict[str, Any] = _storable(field, value, _MAX_DEPTH)
    if _size(field, kept) > MAX_BYTES:
        raise invalid(field, _("must be at most %d bytes of JSON.") % MAX_BYTES)
    return kept


def _size(field: str, kept: dict[str, Any]) -> int:
    try:
        return len(json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode())
    except ValueError:  # an integer of more digits than Python is willing to print
        raise invalid(field, _("must not contain numbers with so many digits.")) from None


def _storable(field: str, value: object, depth: int) -> Any:
    """Returns a copy of the value that a JSON column accepts, without content keys; Decimals become floats.

    Raises `InvalidRecordError` for NaN, infinity, NUL characters, invalid Unicode and too deep nesting.
    """
    if depth == 0:
        raise invalid(field, _("must not be nested deeper than %d levels.") % _MAX_DEPTH)
    if isinstance(value, dict):
        return {
            clean_text(field, key): _storable(field, item, depth - 1)
            for key, item in value.items()
            if not (isinstance(key, str) and key.lower() in CONTENT_KEYS)
        }
    if isinstance(value, list):
        return [_storable(field, item, depth - 1) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal | float):
        return _finite(field, float(value))
    return clean_text(field, value)


def _finite(field: str, value: float) -> float:
    if not math.isfinite(value):
        raise invalid(field, _("must only contain finite numbers, not NaN or Infinity."))
    return value
