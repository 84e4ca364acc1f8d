"""Readers for the fields of a record: each checks one value and returns it, or raises `InvalidRecordError`.

A JSON number with a fraction arrives as `Decimal` (see `logs.formats.parsing`); NaN and Infinity as float.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import gettext as _

from logs.formats.reported import InvalidRecordError

# Takes a field's name and its value, and returns the checked value. The value is never None.
Reader = Callable[[str, object], Any]

_NANO: Final = Decimal("1e-9")
MAX_COST_USD: Final = 10_000
# Not the thread's context, which may have been changed and whose 28 digits would round a second time.
_MONEY: Final = Context(prec=40, traps=[InvalidOperation])
# Decimal accepts more: spaces, underscores, digits of other scripts, "NaN". Without backtracking (++).
PLAIN_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]{1,6})?")
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LEEWAY: Final = timedelta(minutes=10)  # how far ahead a sender's clock may be


def invalid(field: str, message: str) -> InvalidRecordError:
    """Returns the error about a field; `message` continues a sentence that begins with the field's name."""
    return InvalidRecordError(field, f"{field} {message}")


def clean_text(field: str, value: object) -> str:
    """Checks that a value is a string that both databases can store: valid Unicode without NUL characters.

    Bytes that were not UTF-8 have become lone surrogates (`logs.formats.parsing`) and are rejected here.
    """
    if not isinstance(value, str):
        raise invalid(field, _("must be a string."))
    if "\0" in value:
        raise invalid(field, _("must not contain NUL characters."))
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise invalid(field, _("must be valid UTF-8.")) from None
    return value


def text(limit: int, *, required: bool = False) -> Reader:
    """Returns a reader of strings with at most `limit` characters. If `required`, they must not be blank."""

    def read(field: str, value: object) -> str:
        checked = clean_text(field, value)
        if len(checked) > limit:
            raise invalid(field, _("must have at most %d characters.") % limit)
        if required and not checked.strip():
            raise invalid(field, _("must not be empty."))
        return checked

    return read


def cut_text(limit: int) -> Reader:
    """Returns a reader of strings that keeps the first `limit` characters."""
    return lambda field, value: clean_text(field, value)[:limit]


def one_of(*values: str) -> Reader:
    """Returns a reader that accepts only these words."""

    def read(field: str, value: object) -> str:
        if value not in values:
            raise invalid(field, _("must be one of: %s.") % ", ".join(values))
        return str(value)

    return read


def whole_number(low: int, high: int) -> Reader:
    """Returns a reader of integers from `low` to `high`.

    3.0 counts as 3, as in JSON Schema; true and "3" are rejected.
    """

    def read(field: str, value: object) -> int:
        if type(value) is not int:
            value = _integral(field, value)
        if value < low:
            raise invalid(field, _("must be at least %d.") % low)
        if value > high:
            raise invalid(field, _("must be at most %d.") % high)
        return int(value)

    return read


def _integral(field: str, value: object) -> Decimal:
    """Returns a whole number as a Decimal, of any size. Raises InvalidRecordError if the value is not a finite
    whole number.
    """
    if isinstance(value, float):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value != value.to_integral_value():
        raise invalid(field, _("must be a whole number."))
    return value


def boolean(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(field, _("must be true or false."))
    return value


def cost(field: str, value: object) -> int:
    """Converts US dollars (a number or a decimal string) to nano-dollars, rounded half to even."""
    dollars = _dollars(field, value)
    if dollars < 0:
        raise invalid(field, _("must not be negative."))
    if dollars > MAX_COST_USD:
        raise invalid(field, _("must be at most %d dollars for one call.") % MAX_COST_USD)
    return int(dollars.quantize(_NANO, context=_MONEY).scaleb(9, context=_MONEY))


def _dollars(field: str, value: object) -> Decimal:
    """Returns the value as a finite Decimal. A float is converted as it is written: 0.1 becomes exactly 0.1."""
    if isinstance(value, float):
        value = str(value)
    if isinstance(value, str) and not PLAIN_NUMBER.fullmatch(value):
        value = None
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        dollars = Decimal(value)
        if dollars.is_finite():
            return dollars
    raise invalid(field, _('must be an amount of US dollars such as "0.000160".'))


def time(field: str, value: object, now: datetime) -> datetime:
    """Reads an RFC 3339 time and returns it in UTC.

    It must not be before 2000, nor more than 10 minutes after `now`. An aware datetime, which other formats
    have parsed already, is accepted as well.
    """
    at = value if isinstance(value, datetime) else _parsed_time(field, value)
    if at.tzinfo is None:
        raise invalid(field, _('must say its offset from UTC, as "2026-01-31T12:00:00Z" does.'))
    if at < _EARLIEST:
        raise invalid(field, _("must not be before the year 2000."))
    if at > now + _LEEWAY:
        message = _("must not be more than 10 minutes in the future: check the sender's clock.")
        raise invalid(field, message)
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _parsed_time(field: str, value: object) -> datetime:
    if isinstance(value, str) and len(value) <= 64:
        try:
            # RFC 3339 allows a small t and z, fromisoformat does not.
            return datetime.fromisoformat(value if value[-1:] != "z" else value.upper())
        except ValueError:
            pass
    raise invalid(field, _('must be a time such as "2026-01-31T12:00:00Z".'))


def address(field: str, value: object) -> str:
    """Reads an IP address and returns it in its canonical spelling."""
    known = known_address(value) if isinstance(value, str) and len(value) <= 64 else None
    if known is None:
        raise invalid(field, _("must be an IPv4 or IPv6 address."))
    return known


# Cached, because parsing an address takes as long as ten other fields, and most calls come from few addresses.
@lru_cache(maxsize=4096)
def known_address(value: str) -> str | None:
    """Returns an IP address in the canonical spelling in which calls store it; None for anything else."""
    try:
        # A zone ("%eth0") means something on one machine only, and may be any text.
        return str(ipaddress.ip_address(value)) if "%" not in value else None
    except ValueError:
        return None
