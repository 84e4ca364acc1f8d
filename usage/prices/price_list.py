"""The price of a call: the site's own price at that time, else the public price list, else unpriced."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from usage.prices.models import Price, PricedBy
from usage.prices.public_list import ModelNames, list_rates
from usage.prices.rates import Rates, Tokens


class Priced(NamedTuple):
    """A cost in nano-dollars, where it comes from, and the rates it was computed by (None: none were used).

    `worth_nanos`: the cost by price of a call that was reported at $0.
    """

    cost_nanos: int
    by: PricedBy
    rates: Rates | None = None
    worth_nanos: int = 0


UNPRICED = Priced(0, PricedBy.NOTHING)


class PriceList:
    """The prices for the models of one batch. The site's own are read once, when it is created."""

    def __init__(self, models: Iterable[str]) -> None:
        self._site: dict[str, list[Price]] = {}
        for price in Price.objects.filter(model__in=set(models)).order_by("-valid_from"):
            self._site.setdefault(price.model, []).append(price)

    def price(self, named: ModelNames, at: datetime, tokens: Tokens) -> Priced:
        """The cost of a call that began at `at`: by the site's price for the model that is shown, else by the list."""
        own = self.site_price(named.model, at)
        if own is None:
            return public_price(named, at, tokens)
        rates = site_rates(own)
        return Priced(rates.cost_nanos(tokens), PricedBy.SITE, rates)

    def site_price(self, model: str, at: datetime) -> Price | None:
        """The site's own price of a model at a moment."""
        for own in self._site.get(model, ()):
            if own.valid_from <= at:
                return own
        return None


def public_price(named: ModelNames, at: datetime, tokens: Tokens) -> Priced:
    """The cost by the public price list; UNPRICED for models that it does not have or does not sell by the
    token.
    """
    rates = list_rates(named, at, tokens.input)
    return UNPRICED if rates is None else Priced(rates.cost_nanos(tokens), PricedBy.LIST, rates)


def site_rates(price: Price) -> Rates:
    """The rates of the site's own price."""
    return Rates(
        input=price.input_usd,
        output=price.output_usd,
        cached=price.input_usd if price.cached_usd is None else price.cached_usd,
        cache_write=price.input_usd if price.cache_write_usd is None else price.cache_write_usd,
    )
