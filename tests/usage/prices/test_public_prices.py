"""The public price list, worked out by our own faster arithmetic: what the library itself would answer."""

from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from usage.prices.models import PricedBy
from usage.prices.money import to_nanos
from usage.prices.price_list import Tokens, public_price

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
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
)
def test_every_cost_is_what_the_library_answers(provider, model, tokens, output):
    plain, cached, written = tokens
    total = plain + cached + written
    ours = public_price(model=model, provider=provider, at=AT, tokens=Tokens(total, output, cached, written))
    theirs = calc_price(
        Usage(input_tokens=total, output_tokens=output, cache_read_tokens=cached, cache_write_tokens=written),
        model,
        provider_id=provider,
        genai_request_timestamp=AT,
    )
    assert ours.by is PricedBy.LIST
    assert ours.cost_nanos == to_nanos(theirs.total_price)


def test_a_model_nobody_sells_is_unpriced():
    assert public_price(model="house-model", provider="", at=AT, tokens=Tokens(1, 1)).by is PricedBy.NOTHING


def test_a_provider_that_does_not_sell_a_model_does_not_hide_its_price():
    priced = public_price(model="gpt-4o-mini", provider="our-proxy", at=AT, tokens=Tokens(1000, 500))
    assert priced.cost_nanos == 450_000
