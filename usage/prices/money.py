"""Converts amounts of money: stored as integer nano-dollars, written as decimal strings in dollars."""

import re
from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.translation import gettext as _

NANOS = 1_000_000_000
# The largest limit or reservation: far above any real one, and far below the range of the database column.
MOST_USD = Decimal(10_000_000)
_DECIMALS = 9
# Amounts are written to the cent, micro-dollar or nano-dollar; so few widths keep amounts in a column aligned.
WRITTEN_DECIMALS = (2, 6, _DECIMALS)
# The number of decimals to write, indexed by the number that the amount has.
_PLACES = [min(places for places in WRITTEN_DECIMALS if needed <= places) for needed in range(_DECIMALS + 1)]
# Decimal would also accept spaces, underscores, digits of other scripts, "NaN" and "1e99999999".
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?", re.ASCII)


class AmountError(ValueError):
    """A value is not a valid amount for a limit or reservation. The message, for users, says what is valid."""


def read_usd(value: object) -> Decimal:
    """Reads an amount in dollars from a JSON number (int or Decimal) or a string. Raises AmountError."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    text = f"{value:f}" if isinstance(value, Decimal) and abs(value.adjusted()) < 40 else str(value)
    if (is_number or isinstance(value, str)) and _PLAIN_NUMBER.fullmatch(text):
        return Decimal(text)
    raise AmountError(_("Enter an amount in US dollars such as 12.50."))


def amount_nanos(usd: Decimal) -> int:
    """Converts the amount of a limit or reservation from dollars to nano-dollars.

    Raises AmountError for an amount below 0, above MOST_USD, or with more than 9 decimals.
    """
    if not usd.is_finite():
        raise AmountError(_("Enter an amount in US dollars such as 12.50."))
    if usd < 0:
        raise AmountError(_("The amount must not be negative."))
    if usd > MOST_USD:
        raise AmountError(_("The amount must be at most $10,000,000."))
    exponent = usd.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DECIMALS:
        raise AmountError(_("The amount must have at most 9 decimals."))
    return to_nanos(usd)


def to_nanos(usd: Decimal) -> int:
    """Converts dollars to nano-dollars, rounded half to even."""
    return int((usd * NANOS).to_integral_value(ROUND_HALF_EVEN))


def to_usd(nanos: int) -> Decimal:
    """Converts nano-dollars to dollars, exactly."""
    return Decimal(nanos).scaleb(-9)


def usd_string(nanos: int) -> str:
    """Formats nano-dollars as dollars, as the API writes them: with 2 decimals, or with 6 or 9 if needed."""
    # Decimal would be slower, and an exported file can have a million amounts.
    whole, fraction = divmod(abs(nanos), NANOS)
    digits = f"{fraction:09d}"
    return f"{'-' if nanos < 0 else ''}{whole}.{digits[: _PLACES[len(digits.rstrip('0'))]]}"
