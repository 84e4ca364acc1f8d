"""Looks up the entry of a model in the public price list (`genai-prices`), and its rates at a time.

The list's own calculator takes longer than storing a call. So entries and rates are cached, and
`usage.prices.rates` computes the cost; tests compare the results with the calculator's for all models.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Final, NamedTuple

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from usage.prices.providers import UNLISTED, vendor_called
from usage.prices.rates import Rates

# Prefixes that the list puts before the names of a vendor's models.
_VENDOR_PREFIXES: Final = {"fireworks": "accounts/fireworks/models/"}
# The conditions by which the list names a service tier.
CONTEXTS: Final = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "default": {"service_tier": "default"},
}
SERVICE_TIERS: Final = tuple(CONTEXTS)


class ModelNames(NamedTuple):
    """The names by which the price of a call is looked up, as its sender reported them."""

    model: str
    provider: str = ""
    response_model: str = ""
    service_tier: str = ""


class Entry(NamedTuple):
    """An entry of the price list: a vendor and a model."""

    vendor: str
    model: ModelInfo
    # Whether the list has it as the vendor's own model. Otherwise service tiers may not apply at this vendor.
    is_own: bool
    # Whether prices differ by the time of day. Otherwise they only change at midnight UTC.
    has_hours: bool


class Step(NamedTuple):
    """The rates of a call that has more than `above` input tokens."""

    above: int
    rates: Rates


def list_entry(named: ModelNames) -> Entry | None:
    """Returns the list's entry for the model that answered (`response_model`) or, if it has none, for `model`.

    Returns None if the list has neither.
    """
    return _entry(named.provider, named.response_model, named.model)


def list_rates(named: ModelNames, at: datetime, input_tokens: int) -> Rates | None:
    """Returns the list's rates for a call at a time; None if the list has no entry, or no prices per token in
    it.
    """
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    steps = _steps_of_day(named, utc.date())
    if steps is None:
        steps = _steps(named, utc)
    for step in reversed(steps):
        if input_tokens > step.above:
            return step.rates
    return None


def list_version() -> str:
    """Returns the name and version of the list."""
    return f"genai-prices {version('genai-prices')}"


@lru_cache(maxsize=4)
def list_date(today: date) -> date:
    """Returns the date of the list: of its newest price that is in effect, or of its last automatic update."""
    snapshot = get_snapshot()
    if snapshot.from_auto_update:
        return snapshot.timestamp.date()
    models = [model for provider in snapshot.providers for model in provider.models]
    days = (
        change.constraint.start_date
        for model in models
        for change in _changes(model)
        if isinstance(change.constraint, StartDateConstraint)
    )
    return max((day for day in days if day <= today), default=date.min)


# Cached, because a look-up takes 50 to 175 µs, more than storing the call. Limited, because senders choose names.
@lru_cache(maxsize=4096)
def _entry(provider: str, response_model: str, model: str) -> Entry | None:
    for name, other in ((response_model, model), (model, response_model)):
        if name and (found := _find(vendor_called(provider, name, other), name.lower())):
            return found
    return None


def _find(vendor: str | None, name: str) -> Entry | None:
    """Finds a model at its vendor.

    Without a known vendor, the first vendor is used whose models have names of this form. Returns None for
    UNLISTED, or if that vendor has no such model.
    """
    if vendor == UNLISTED:
        return None
    providers = get_snapshot().providers
    for provider in providers:
        if provider.id == vendor or (
            vendor is None and provider.model_match and provider.model_match.is_match(name)
        ):
            names = [name] if vendor is None else _names_at(vendor, name)
            model = next(
                (found for one in names if (found := provider.find_model(one, all_providers=providers))), None
            )
            return _entry_of(provider, model) if model else None
    return None


def _names_at(vendor: str, name: str) -> Iterator[str]:
    """Yields the names that a vendor may list the model under: as reported, without each prefix that ends in a
    slash, and with the vendor's own prefix.
    """
    rest = name
    yield rest
    while "/" in rest:
        rest = rest.partition("/")[2]
        yield rest
    if vendor in _VENDOR_PREFIXES:
        yield _VENDOR_PREFIXES[vendor] + rest


def _entry_of(provider: Provider, model: ModelInfo) -> Entry:
    has_hours = any(isinstance(change.constraint, TimeOfDateConstraint) for change in _changes(model))
    return Entry(provider.id, model, any(one is model for one in provider.models), has_hours)


def _changes(model: ModelInfo) -> list[ConditionalPrice | PriceVariant]:
    """Returns the prices of a model that only apply under a condition, such as a start date or a time of day."""
    return [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]


@lru_cache(maxsize=4096)
def _steps_of_day(named: ModelNames, day: date) -> tuple[Step, ...] | None:
    """Returns the rates by input length that apply during a whole day (UTC); None if the price depends on the
    time of day.
    """
    entry = list_entry(named)
    return None if entry and entry.has_hours else _steps(named, datetime.combine(day, time(), UTC))


def _steps(named: ModelNames, at: datetime) -> tuple[Step, ...]:
    entry = list_entry(named)
    if entry is None:
        return ()
    context = CONTEXTS.get(named.service_tier) if entry.is_own else None
    return steps_of(entry.model.get_prices(at, context))


def steps_of(prices: ModelPrice) -> tuple[Step, ...]:
    """Returns the rates by input length, ascending; empty for models that are not sold by the token.

    The rates of a step apply to all tokens of a call, not only to those above the step's threshold.
    """
    by_key = {key: price for key, price in vars(prices).items() if price is not None}
    if not {"input_mtok", "output_mtok"} & by_key.keys():
        return ()
    starts = {
        tier.start for price in by_key.values() if isinstance(price, TieredPrices) for tier in price.tiers
    }
    return tuple(
        Step(above, _rates({key: _at_length(price, above + 1) for key, price in by_key.items()}))
        for above in (-1, *sorted(starts))
    )


def _rates(usd: dict[str, Decimal]) -> Rates:
    base = usd.get("input_mtok", Decimal(0))
    return Rates(
        input=base,
        output=usd.get("output_mtok", Decimal(0)),
        cached=usd.get("cache_read_mtok", base),
        cache_write=usd.get("cache_write_mtok", base),
        thousand_calls=usd.get("requests_kcount", Decimal(0)),
        cache_write_1h=usd.get("cache_write_1h_mtok"),
        input_audio=usd.get("input_audio_mtok"),
        output_audio=usd.get("output_audio_mtok"),
        reasoning=usd.get("output_reasoning_mtok"),
    )


def _at_length(price: Decimal | TieredPrices, input_tokens: int) -> Decimal:
    if not isinstance(price, TieredPrices):
        return price
    reached = (tier.price for tier in reversed(price.tiers) if input_tokens > tier.start)
    return next(reached, price.base)
