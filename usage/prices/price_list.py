"""What a call costs: the site's own price at that time, else the public price list, else nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

from usage.prices.models import Price, PricedBy
from usage.prices.money import to_nanos

_MILLION = 1_000_000


@dataclass(frozen=True)
class Tokens:
    """What is paid for. `input` includes `cached` and `cache_write`, `output` includes reasoning."""

    input: int
    output: int
    cached: int = 0
    cache_write: int = 0


@dataclass(frozen=True)
class Rates:
    """US dollars per million tokens of each kind, and per thousand calls where a call itself is charged."""

    input: Decimal
    output: Decimal
    cached: Decimal
    cache_write: Decimal
    thousand_calls: Decimal = Decimal(0)

    def cost_nanos(self, tokens: Tokens) -> int:
        """The cost in nano-dollars, rounded half to even once, at the sum."""
        plain = max(0, tokens.input - tokens.cached - tokens.cache_write)
        usd_millions = (
            plain * self.input
            + tokens.cached * self.cached
            + tokens.cache_write * self.cache_write
            + tokens.output * self.output
        )
        return to_nanos(usd_millions / _MILLION + self.thousand_calls / 1000)


@dataclass(frozen=True)
class Priced:
    """A cost in nano-dollars, where it comes from, and the rates it was worked out by (None: unpriced)."""

    cost_nanos: int
    by: PricedBy
    rates: Rates | None = None


UNPRICED = Priced(0, PricedBy.NOTHING)


class PriceList:
    """The prices for the models of one batch. The site's own are read once, when it is made."""

    def __init__(self, models: Iterable[str]) -> None:
        self._site: dict[str, list[Price]] = {}
        for price in Price.objects.filter(model__in=set(models)).order_by("-valid_from"):
            self._site.setdefault(price.model, []).append(price)

    def price(self, *, model: str, provider: str, at: datetime, tokens: Tokens) -> Priced:
        """The cost of a call that began at `at`."""
        for own in self._site.get(model, ()):
            if own.valid_from <= at:
                rates = _site_rates(own)
                return Priced(rates.cost_nanos(tokens), PricedBy.SITE, rates)
        return public_price(model=model, provider=provider, at=at, tokens=tokens)


def public_price(*, model: str, provider: str, at: datetime, tokens: Tokens) -> Priced:
    """The cost by the public price list (`genai-prices`); UNPRICED for a model it does not know."""
    found = _find(provider, model)
    if found is None:
        return UNPRICED
    prices = found.get_prices(at)
    rates = list_rates(prices, tokens.input)
    return Priced(rates.cost_nanos(tokens), PricedBy.LIST, rates)


def _site_rates(price: Price) -> Rates:
    return Rates(
        input=price.input_usd,
        output=price.output_usd,
        cached=price.input_usd if price.cached_usd is None else price.cached_usd,
        cache_write=price.input_usd if price.cache_write_usd is None else price.cache_write_usd,
    )


# Asking by name costs 50 to 175 µs, more than storing the call; names come from outside, so it is bounded.
@lru_cache(maxsize=4096)
def _find(provider: str, model: str) -> ModelInfo | None:
    """The price list's entry for a model, of that provider if it has it there, of any other otherwise."""
    for provider_id in (provider.lower() or None, None):
        try:
            return get_snapshot().find_provider_model(model, None, provider_id, None)[1]
        except LookupError:
            continue
    return None


def list_rates(prices: ModelPrice, input_tokens: int) -> Rates:
    """The rates for a call with so long an input: where a price has tiers, the one that it has reached.

    A tier applies to all tokens of the call, not only to those beyond it; a kind of token without a price
    of its own costs what input costs.
    """
    base = _rate(prices.input_mtok, input_tokens) or Decimal(0)
    cached, cache_write = prices.cache_read_mtok, prices.cache_write_mtok
    return Rates(
        input=base,
        output=_rate(prices.output_mtok, input_tokens) or Decimal(0),
        cached=base if cached is None else _rate(cached, input_tokens) or Decimal(0),
        cache_write=base if cache_write is None else _rate(cache_write, input_tokens) or Decimal(0),
        thousand_calls=_rate(prices.requests_kcount, input_tokens) or Decimal(0),
    )


def _rate(price: Decimal | TieredPrices | None, input_tokens: int) -> Decimal | None:
    """The price at that length."""
    if not isinstance(price, TieredPrices):
        return price
    reached = (tier.price for tier in reversed(price.tiers) if input_tokens > tier.start)
    return next(reached, price.base)
