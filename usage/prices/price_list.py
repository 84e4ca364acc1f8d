"""Computes the cost of a call: by the site's own price at that time, else by the public price list, else
unpriced.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from usage.prices.models import Price, PricedBy
from usage.prices.public_list import ModelNames, list_rates
from usage.prices.rates import Rates, Tokens


class Priced(NamedTuple):
    """The cost of a call in nano-dollars, its source, and the rates used (None if none were used).

    `worth_nanos` is only set for a call that was reported with a cost of $0: what it would cost by its price.
    """

    cost_nanos: int
    by: PricedBy
    rates: Rates | None = None
    worth_nanos: int = 0


UNPRICED = Priced(0, PricedBy.NOTHING)


class PriceList:
    """The prices for some models, used for a batch of calls. Reads the site's own prices once, when it is
    created.
    """

    def __init__(self, models: Iterable[str]) -> None:
        self._site: dict[str, list[Price]] = {}
        for price in Price.objects.filter(model__in=set(models)).order_by("-valid_from"):
            self._site.setdefault(price.model, []).append(price)

    def price(self, named: ModelNames, at: datetime, tokens: Tokens) -> Priced:
        """Returns the cost of a call that began at `at`.

        The site's own price of the model name shown on pages (`named.model`) is used or, without one, the
        public price list.
        """
        own = self.site_price(named.model, at)
        if own is None:
            return public_price(named, at, tokens)
        rates = site_rates(own)
        return Priced(rates.cost_nanos(tokens), PricedBy.SITE, rates)

    def site_price(self, model: str, at: datetime) -> Price | None:
        """Returns the site's own price of a model that was valid at a time; None if there is none."""
        for own in self._site.get(model, ()):
            if own.valid_from <= at:
                return own
        return None


def public_price(named: ModelNames, at: datetime, tokens: Tokens) -> Priced:
    """Returns the cost by the public price list.

    Returns UNPRICED for models that the list does not have, or that are not sold by the token.
    """
    rates = list_rates(named, at, tokens.input)
    return UNPRICED if rates is None else Priced(rates.cost_nanos(tokens), PricedBy.LIST, rates)


def site_rates(price: Price) -> Rates:
    """Converts a price of the site to `Rates`."""
    return Rates(
        input=price.input_usd,
        output=price.output_usd,
        cached=price.input_usd if price.cached_usd is None else price.cached_usd,
        cache_write=price.input_usd if price.cache_write_usd is None else price.cache_write_usd,
    )
