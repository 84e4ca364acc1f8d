"""Money is an integer number of nano-dollars inside, a decimal string outside."""

from decimal import ROUND_HALF_EVEN, Decimal

NANOS = 1_000_000_000


def to_nanos(usd: Decimal) -> int:
    """Nano-dollars of an amount in dollars, rounded half to even at the ninth decimal."""
    return int((usd * NANOS).to_integral_value(ROUND_HALF_EVEN))


def to_usd(nanos: int) -> Decimal:
    """The exact amount in dollars."""
    return Decimal(nanos).scaleb(-9)


def usd_string(nanos: int) -> str:
    """The amount as the API writes it: at least two decimals, as many as it needs, at most nine."""
    whole, _, fraction = f"{to_usd(nanos):.9f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
