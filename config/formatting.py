"""Formats numbers as plain text, with exact arithmetic and without markup.

The functions that take a number return None for None ("no data"), so missing data is never shown as 0.
"""

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.translation import gettext as _

# The space between a number and its unit, which keeps them on one line.
GAP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
Number = int | float | Decimal


def plain(value: Number | None, decimals: int = 0) -> str | None:
    """Returns a number with thousands separators: `1,234` or, with one decimal, `1,234.5`."""
    return None if value is None else _signed(_rounded(value, decimals), decimals)


def compact(value: int | None) -> str | None:
    """Returns a large number with at most three digits and a unit: `53.2 K`, `62.4 M`.

    Below ten thousand: `9,999`.
    """
    if value is None or abs(value) < 10_000:
        return plain(value)
    for unit, size in (("K", 10**3), ("M", 10**6), ("B", 10**9), ("T", 10**12)):
        scaled = Decimal(value) / size
        decimals = 1 if abs(_rounded(scaled, 1)) < 100 else 0
        if abs(_rounded(scaled, decimals)) < 1000 or unit == "T":
            return f"{_signed(_rounded(scaled, decimals), decimals)}{GAP}{unit}"
    raise AssertionError("the last unit takes everything")


def money(nanos: int | None, decimals: int | None = None) -> str | None:
    """Returns nano-dollars as dollars with two decimals: `$32.48`.

    Amounts below ten cents have three significant digits: `$0.000160`. `decimals` sets a fixed number of
    decimals, which aligns the costs in a column. An amount that would be rounded to zero is then shown as
    `<$0.01`.
    """
    if nanos is None:
        return None
    dollars = Decimal(nanos).scaleb(-9)
    places = decimals if decimals is not None else _places(dollars)
    rounded = _rounded(abs(dollars), places)
    if dollars and not rounded:
        return f"<${Decimal(1).scaleb(-places):f}"
    sign = MINUS if dollars < 0 else ""
    return f"{sign}${rounded:,.{places}f}"


def exact_money(nanos: int | None) -> str | None:
    """Returns nano-dollars as dollars with all decimals, at least two: `$0.00015`, `$12.50`."""
    if nanos is None:
        return None
    text = f"{Decimal(abs(nanos)).scaleb(-9):,.9f}".rstrip("0")
    whole, _dot, fraction = text.partition(".")
    return f"{MINUS if nanos < 0 else ''}${whole}.{fraction.ljust(2, '0')}"


def percent(ratio: Number | None, decimals: int = 1) -> str | None:
    """Returns a ratio as a percentage: 0.9878 is `98.8%`. Only 1 is shown as 100 %, and only 0 as 0 %."""
    if ratio is None:
        return None
    value, step = Decimal(str(ratio)) * 100, Decimal(1).scaleb(-decimals)
    rounded = _rounded(value, decimals)
    if value < 100 and rounded == 100:
        rounded = 100 - step
    if value > 0 and rounded == 0:
        return f"<{step:f}%"
    return f"{_signed(rounded, decimals)}%"


def milliseconds(value: Number | None) -> str | None:
    """Returns milliseconds as text: `1,612 ms`; from ten seconds on `24.1 s`; from ten minutes on `12 min`."""
    if value is None:
        return None
    if value < 10_000:
        return f"{_signed(_rounded(value, 0), 0)}{GAP}ms"
    if value < 600_000:
        return f"{_signed(_rounded(Decimal(str(value)) / 1000, 1), 1)}{GAP}s"
    return f"{_signed(_rounded(Decimal(str(value)) / 60_000, 0), 0)}{GAP}min"


def ago(age: timedelta) -> str:
    """Returns an age as text: `just now`, `5 min ago`, `3 h ago`, `12 days ago`."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return _("%(n)s min ago") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h ago") % {"n": minutes // 60}
    return _("%(n)s days ago") % {"n": f"{minutes // 1440:,}"}


def initials(name: str) -> str:
    """Returns two letters for an avatar, from a name or an e-mail address.

    They are the first letters of the first and the last word, or the first two letters if there is only one
    word.
    """
    words = [word for word in name.partition("@")[0].replace(".", " ").replace("-", " ").split() if word]
    letters = words[0][0] + words[-1][0] if len(words) > 1 else "".join(words)[:2]
    return letters.upper() or "?"


def _rounded(value: Number, decimals: int) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)


def _signed(value: Decimal, decimals: int) -> str:
    """Returns a number with thousands separators and, if it is negative, a minus sign. Zero has no sign."""
    return f"{MINUS if value < 0 else ''}{abs(value):,.{decimals}f}"


def _places(dollars: Decimal) -> int:
    """Returns how many decimals to show of an amount of dollars.

    That is two, or enough for three significant digits, but at most nine.
    """
    if dollars == 0 or abs(dollars) >= Decimal("0.1"):
        return 2
    places = min(9, 2 - dollars.adjusted())
    return 2 if abs(_rounded(dollars, places)) >= Decimal("0.1") else places
