"""Checks our use of the public price list (`genai-prices`).

Costs are compared with those that the list's own calculator computes, and its prices with LiteLLM's price file.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from usage.prices.money import to_nanos
from usage.prices.public_list import CONTEXTS, ModelNames, list_entry, list_rates, steps_of
from usage.prices.rates import Rates, Tokens

# Text tokens only. Audio together with cached tokens is left out: if cached audio has a price of its own, the
# calculator refuses to guess how much of the audio was cached.
MIXES: Final[Mapping[str, Tokens]] = {
    "input": Tokens(1000, 0),
    "output": Tokens(0, 500),
    "both": Tokens(1000, 500),
    "cached": Tokens(1000, 500, cached=300),
    "cached and written": Tokens(1000, 500, cached=300, cache_write=100),
    "written for an hour": Tokens(1000, 500, cached=300, cache_write=200, cache_write_1h=150),
    "reasoning": Tokens(1000, 500, reasoning=400),
    "long": Tokens(300_000, 60_000, cached=100_000, cache_write=20_000),
}
# Columns of LiteLLM's file, in dollars per token. Columns for a service tier have one of `_SUFFIXES`.
_COLUMNS: Final[Mapping[str, str]] = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "input_audio": "input_cost_per_audio_token",
    "output_audio": "output_cost_per_audio_token",
    "reasoning": "output_cost_per_reasoning_token",
}
_SUFFIXES: Final[Mapping[str, str]] = {"": "", "flex": "_flex", "priority": "_priority", "batch": "_batches"}


class Difference(NamedTuple):
    """A price or cost on which the two sides differ.

    `ours` and `theirs` are costs of a mix of tokens in nano-dollars, or prices of a kind of token in dollars
    per million. `what` names the mix or the kind.
    """

    vendor: str
    model: str
    tier: str
    what: str
    ours: Decimal
    theirs: Decimal


class Compared(NamedTuple):
    """The number of models that both sides have, and the differences between them."""

    models: int
    differences: list[Difference]


def usage_of(tokens: Tokens) -> Usage:
    """Converts our `Tokens` to the argument of the list's calculator."""
    return Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.cache_write,
        cache_write_1h_tokens=tokens.cache_write_1h,
        input_audio_tokens=tokens.input_audio,
        output_audio_tokens=tokens.output_audio,
        output_reasoning_tokens=tokens.reasoning,
    )


def compare_calculator(at: datetime) -> Compared:
    """Compares our cost with the calculator's for each model of the list, mix of tokens and service tier.

    Uses the prices valid at `at`.
    """
    models = [(provider, model) for provider in get_snapshot().providers for model in provider.models]
    differences = [one for provider, model in models for one in _calculated(provider, model, at)]
    return Compared(len(models), differences)


def _calculated(provider: Provider, model: ModelInfo, at: datetime) -> Iterator[Difference]:
    for tier, context in {"": None, **CONTEXTS}.items():
        steps = steps_of(model.get_prices(at, context))
        for mix, tokens in MIXES.items():
            rates = [step.rates for step in steps if tokens.input > step.above]
            ours = rates[-1].cost_nanos(tokens) if rates else 0
            by_list = model.calc_price(
                usage_of(tokens), provider, genai_request_timestamp=at, price_context=context
            )
            theirs = to_nanos(by_list.total_price)
            if ours != theirs:
                yield Difference(provider.id, model.id, tier, mix, Decimal(ours), Decimal(theirs))


def compare_litellm(prices: Mapping[str, Any], at: datetime) -> Compared:
    """Compares the list's dollars per million tokens with LiteLLM's price file, for the models that both have.

    `prices` is the content of the file, with fractions as Decimal. Models that are not sold by the token on
    either side are left out, and so are service tiers that the list does not have.
    """
    models, differences = 0, []
    for name, row in prices.items():
        if not isinstance(row, dict) or not _dollars(row, "input_cost_per_token"):
            continue
        names = ModelNames(name, str(row.get("litellm_provider") or ""))
        entry, standard = list_entry(names), list_rates(names, at, 0)
        if entry is not None and standard is not None:
            models += 1
            differences += list(_listed(names, entry.vendor, row, standard, at))
    return Compared(models, differences)


def _listed(
    names: ModelNames, vendor: str, row: Mapping[str, Any], standard: Rates, at: datetime
) -> Iterator[Difference]:
    for tier, suffix in _SUFFIXES.items():
        rates = list_rates(names._replace(service_tier=tier), at, 0)
        if rates is None or (tier and rates == standard):
            continue
        for kind, column in _COLUMNS.items():
            ours, theirs = getattr(rates, kind), _dollars(row, column + suffix)
            if ours is not None and theirs is not None and ours != theirs:
                yield Difference(vendor, names.model, tier, kind, ours, theirs)


def _dollars(row: Mapping[str, Any], column: str) -> Decimal | None:
    """Returns the dollars per million tokens in a column of LiteLLM's file; None if there are none."""
    value = row.get(column)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        return None
    return Decimal(value) * 1_000_000
