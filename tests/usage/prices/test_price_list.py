"""Prices: the site's own at that time, else the public list, else unpriced."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from usage.prices.models import Price, PricedBy
from usage.prices.price_list import PriceList, public_price
from usage.prices.public_list import ModelNames
from usage.prices.rates import Rates, Tokens

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


SOME = Tokens(1000, 500)


def price(model: str, tokens: Tokens = SOME, at: datetime = NOW, provider: str = "") -> Any:
    return PriceList([model]).price(ModelNames(model, provider), at, tokens)


def own(model: str = "gpt-4o-mini", year: int = 2026, **fields: Any) -> Price:
    rates: dict[str, Any] = {"input_usd": Decimal(1), "output_usd": Decimal(2), **fields}
    return Price.objects.create(model=model, valid_from=datetime(year, 1, 1, tzinfo=UTC), **rates)


def test_the_public_list_is_asked_where_the_site_has_no_price(db: None) -> None:
    found = price("gpt-4o-mini")
    assert (found.cost_nanos, found.by) == (1000 * 150 + 500 * 600, PricedBy.LIST)


def test_the_sites_own_price_comes_first(db: None) -> None:
    own()
    found = price("gpt-4o-mini")
    assert (found.cost_nanos, found.by) == (1000 * 1000 + 500 * 2000, PricedBy.SITE)


def test_the_price_is_that_of_the_time_of_the_call(db: None) -> None:
    own(year=2024, input_usd=Decimal(10), output_usd=Decimal(0))
    own(year=2026, input_usd=Decimal(1), output_usd=Decimal(0))
    costs = [price("gpt-4o-mini", at=datetime(year, 6, 1, tzinfo=UTC)) for year in (2023, 2024, 2025, 2026)]
    assert [one.by for one in costs] == [PricedBy.LIST, *[PricedBy.SITE] * 3]
    assert [one.cost_nanos for one in costs[1:]] == [10_000_000, 10_000_000, 1_000_000]


def test_a_price_holds_from_its_very_moment(db: None) -> None:
    own(year=2026)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert price("gpt-4o-mini", at=start).by == PricedBy.SITE
    assert price("gpt-4o-mini", at=datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)).by == PricedBy.LIST


def test_cached_and_written_tokens_have_their_own_price_or_that_of_input(db: None) -> None:
    tokens = Tokens(input=1000, output=0, cached=400, cache_write=100)
    own("plain")
    own("cached", cached_usd=Decimal("0.1"), cache_write_usd=Decimal("1.25"))
    own("free cache", cached_usd=Decimal(0))
    assert price("plain", tokens).cost_nanos == 1_000_000
    assert price("cached", tokens).cost_nanos == 500 * 1000 + 400 * 100 + 100 * 1250
    assert price("free cache", tokens).cost_nanos == 600_000


def test_cached_tokens_of_the_public_list_cost_less(db: None) -> None:
    assert price("gpt-4o-mini", Tokens(1000, 0, cached=1000)).cost_nanos == 75_000


@pytest.mark.parametrize("model", ["house-model", "", "x" * 128, "../../etc/passwd", "%", "日本"])
def test_an_unknown_model_is_unpriced(db: None, model: str) -> None:
    found = price(model)
    assert (found.cost_nanos, found.by) == (0, PricedBy.NOTHING)


def test_a_provider_that_the_list_does_not_know_is_no_obstacle(db: None) -> None:
    for provider in ("openai", "OpenAI", "house-gateway", ""):
        assert price("gpt-4o-mini", provider=provider).cost_nanos == 450_000


def test_a_model_with_steps_by_context_costs_more_from_the_step_on(db: None) -> None:
    short = public_price(ModelNames("gemini-2.5-pro", "google"), NOW, Tokens(100_000, 0))
    long = public_price(ModelNames("gemini-2.5-pro", "google"), NOW, Tokens(300_000, 0))
    assert short.by == long.by == PricedBy.LIST
    assert (short.rates.input, long.rates.input) == (Decimal("1.25"), Decimal("2.5"))
    assert long.cost_nanos > 3 * short.cost_nanos


def test_a_model_whose_calls_themselves_are_charged_costs_that_too(db: None) -> None:
    found = price("sonar", Tokens(0, 0), provider="perplexity")
    assert (found.cost_nanos, found.by) == (12_000_000, PricedBy.LIST)


@pytest.mark.parametrize(
    ("usd", "tokens", "nanos"),
    [
        ("0.0005", 1, 0),  # half a nano-dollar goes to the even side
        ("0.0015", 1, 2),
        ("0.0025", 1, 2),
        ("0.000501", 1, 1),
        ("0.0005", 3, 2),  # rounded once, at the sum: not 3 × 0
        ("999999.999999", 10**9, 999_999_999_999_000_000),
    ],
)
def test_costs_are_rounded_half_to_even_once_at_the_sum(usd: str, tokens: int, nanos: int) -> None:
    rates = Rates(Decimal(usd), Decimal(0), Decimal(0), Decimal(0))
    assert rates.cost_nanos(Tokens(tokens, 0)) == nanos


def test_more_cached_tokens_than_input_never_make_a_negative_cost() -> None:
    rates = Rates(Decimal(1), Decimal(1), Decimal(0), Decimal(0))
    assert rates.cost_nanos(Tokens(10, 0, cached=20)) == 0
