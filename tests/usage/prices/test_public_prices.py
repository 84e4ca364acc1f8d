"""The public price list, worked out by our own faster arithmetic: what the library itself would answer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from usage.prices.checks import MIXES, usage_of
from usage.prices.models import PricedBy
from usage.prices.money import to_nanos
from usage.prices.price_list import public_price
from usage.prices.public_list import CONTEXTS, ModelNames, steps_of
from usage.prices.rates import Tokens

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TIERS: dict[str, dict[str, str]] = {"": {}, **CONTEXTS}


def by_our_rates(prices: Any, tokens: Tokens) -> int | None:
    """None: not sold by the token."""
    steps = [step for step in steps_of(prices) if tokens.input > step.above]
    return steps[-1].rates.cost_nanos(tokens) if steps else None


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("mix", MIXES)
def test_every_model_costs_what_the_lists_own_calculator_says(mix: Any, tier: Any) -> None:
    tokens, compared = MIXES[mix], 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            prices = model.get_prices(AT, TIERS[tier])
            ours = by_our_rates(prices, tokens)
            theirs = model.calc_price(
                usage_of(tokens), provider, genai_request_timestamp=AT, price_context=TIERS[tier]
            )
            assert (ours or 0) == to_nanos(theirs.total_price), (provider.id, model.id)
            compared += ours is not None
    assert compared > 2000


@pytest.mark.parametrize(("heard", "spoken"), [(800, 0), (0, 400), (1000, 500)])
def test_audio_costs_what_the_lists_own_calculator_says(heard: int, spoken: int) -> None:
    tokens = Tokens(1000, 500, input_audio=heard, output_audio=spoken)
    for provider in get_snapshot().providers:
        for model in provider.models:
            theirs = model.calc_price(usage_of(tokens), provider, genai_request_timestamp=AT).total_price
            assert (by_our_rates(model.get_prices(AT), tokens) or 0) == to_nanos(theirs), model.id


def test_audio_that_was_cached_costs_what_cached_tokens_cost() -> None:
    tokens = Tokens(1000, 0, cached=900, input_audio=500)
    priced = public_price(ModelNames("gpt-realtime", "openai"), AT, tokens)
    assert priced.cost_nanos == 100 * 32_000 + 900 * 400


# With and without tiers, cached prices and prices for writing to the cache.
MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5"),
    ("openai", "o4-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("mistral", "mistral-large-latest"),
]


@pytest.mark.parametrize(("provider", "model"), MODELS)
@given(
    tokens=st.tuples(st.integers(0, 400_000), st.integers(0, 100_000), st.integers(0, 100_000)),
    output=st.integers(0, 60_000),
    tier=st.sampled_from(sorted(TIERS)),
)
def test_every_cost_is_what_the_library_answers(
    provider: str, model: str, tokens: Any, output: int, tier: Any
) -> None:
    plain, cached, written = tokens
    tokens = Tokens(plain + cached + written, output, cached, written)
    ours = public_price(ModelNames(model, provider, service_tier=tier), AT, tokens)
    theirs = calc_price(
        usage_of(tokens),
        model,
        provider_id=provider,
        genai_request_timestamp=AT,
        price_context=TIERS[tier],
    )
    assert ours.by is PricedBy.LIST
    assert ours.cost_nanos == to_nanos(theirs.total_price)


@given(at=st.integers(0, 700 * 24 * 60).map(lambda minutes: AT - timedelta(minutes=minutes)))
def test_prices_that_change_by_day_and_by_hour_are_those_of_the_call(at: Any) -> None:
    for provider, model in [
        ("deepseek", "deepseek-chat"),
        ("fireworks", "accounts/fireworks/models/gpt-oss-120b"),
    ]:
        theirs = calc_price(usage_of(MIXES["cached"]), model, provider_id=provider, genai_request_timestamp=at)
        assert public_price(ModelNames(model, provider), at, MIXES["cached"]).cost_nanos == to_nanos(
            theirs.total_price
        )


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "whisper-1"), ("mistral", "mistral-ocr-latest"), ("openai", "tts-1"), ("", "house-model")],
)
def test_what_is_not_sold_by_the_token_is_unpriced(provider: str, model: str) -> None:
    assert public_price(ModelNames(model, provider), AT, Tokens(1000, 1000)).by is PricedBy.NOTHING


def test_no_entry_without_a_price_per_token_counts_as_priced() -> None:
    for provider in get_snapshot().providers:
        for model in provider.models:
            keys = {key for key, price in vars(model.get_prices(AT)).items() if price is not None}
            is_priced = bool(steps_of(model.get_prices(AT)))
            assert is_priced == bool({"input_mtok", "output_mtok"} & keys), (provider.id, model.id)


@pytest.mark.parametrize(
    ("tier", "nanos"),
    [
        ("", 1_250_000_000),
        ("default", 1_250_000_000),
        ("flex", 625_000_000),
        ("priority", 2_500_000_000),
        ("batch", 625_000_000),
    ],
)
def test_a_tier_has_its_own_price(tier: str, nanos: int) -> None:
    assert public_price(ModelNames("gpt-5", service_tier=tier), AT, Tokens(1_000_000, 0)).cost_nanos == nanos


def test_a_tier_that_the_list_does_not_know_costs_the_usual() -> None:
    named = ModelNames("mistral-large-latest", "mistral", service_tier="priority")
    assert public_price(named, AT, Tokens(1_000_000, 0)).cost_nanos == 2_000_000_000


def test_tokens_written_for_an_hour_cost_more() -> None:
    tokens = Tokens(100_000, 0, cache_write=100_000, cache_write_1h=40_000)
    priced = public_price(ModelNames("claude-sonnet-4-5", "anthropic"), AT, tokens)
    assert priced.cost_nanos == 60_000 * 3750 + 40_000 * 6000
    assert priced.rates.cache_write_1h == Decimal(6)
