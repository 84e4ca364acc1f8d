"""The part of a call's metadata that may be kept: small, storable everywhere, and without content of messages."""

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
    """The object without its content keys, at any depth; at most 4 KiB of JSON after that."""
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
    """The value as JSON columns accept it: no Decimals, NaN, NULs or lone surrogates, and limited nesting."""
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
