"""What a reported call costs: by its own cost, the site's price, the model that answered, the one that is shown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from logs.models import Call
from tests.logs.conftest import record
from usage.prices.models import Price, PricedBy


@pytest.fixture
def stored(post: Callable[..., Any], mia: str) -> Callable[..., Call]:
    """`stored(field=value, …)`: the call that this record becomes."""

    def send(**fields: Any) -> Call:
        response = post(mia, record(**{"input_tokens": 100_000, "output_tokens": 0, **fields}))
        assert response.json()["accepted"] == 1, response.content
        return Call.objects.get()

    return send


def site_price(model: str) -> None:
    rates: dict[str, Any] = {"input_usd": Decimal(7), "output_usd": Decimal(7)}
    Price.objects.create(model=model, valid_from=datetime(2026, 1, 1, tzinfo=UTC), **rates)


def cost(call: Call) -> tuple[int, int]:
    return call.cost_nanos, call.priced_by


DEPLOYMENT: dict[str, Any] = {
    "model": "gpt-4",
    "provider": "azure.ai.openai",
    "response_model": "gpt-4o-mini-2024-07-18",
}


def test_the_model_that_answered_is_priced_and_the_one_asked_for_is_shown(stored: Callable[..., Call]) -> None:
    call = stored(**DEPLOYMENT)
    assert cost(call) == (15_000_000, PricedBy.LIST)
    assert (call.model, call.details) == ("gpt-4", {"response_model": "gpt-4o-mini-2024-07-18"})


def test_the_sites_price_of_the_shown_model_comes_before_the_list(stored: Callable[..., Call]) -> None:
    site_price("gpt-4")
    site_price("gpt-4o-mini-2024-07-18")
    assert cost(stored(**DEPLOYMENT)) == (700_000_000, PricedBy.SITE)


def test_a_site_price_of_the_model_that_answered_is_not_asked_for(stored: Callable[..., Call]) -> None:
    site_price("gpt-4o-mini-2024-07-18")
    assert cost(stored(**DEPLOYMENT)) == (15_000_000, PricedBy.LIST)


def test_the_calls_own_cost_comes_before_everything(stored: Callable[..., Call]) -> None:
    site_price("gpt-4")
    assert cost(stored(**DEPLOYMENT, cost_usd="0.5")) == (500_000_000, PricedBy.REPORT)


@pytest.mark.parametrize(
    ("fields", "nanos"),
    [
        ({"model": "openai/gpt-4o", "input_tokens": 1000, "output_tokens": 1000}, 12_500_000),
        ({"model": "gemini/gemini-2.5-flash", "input_tokens": 1000}, 300_000),
        ({"model": "models/gemini-2.5-flash", "provider": "google", "input_tokens": 1000}, 300_000),
        (
            {"model": "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "input_tokens": 1000},
            3_300_000,
        ),
        ({"model": "gpt-5", "service_tier": "flex", "input_tokens": 1_000_000}, 625_000_000),
        (
            {"model": "claude-sonnet-4-5", "input_tokens": 1000, "cache_write_tokens": 1000}
            | {"cache_write_1h_tokens": 1000},
            6_000_000,
        ),
        ({"model": "gpt-realtime", "input_tokens": 1000, "input_audio_tokens": 400}, 15_200_000),
        (
            {"model": "gpt-audio", "input_tokens": 0, "output_tokens": 100, "output_audio_tokens": 100},
            6_400_000,
        ),
    ],
)
def test_prefixes_tiers_and_kinds_of_tokens_are_priced(
    stored: Callable[..., Call], fields: Any, nanos: int
) -> None:
    assert cost(stored(**fields)) == (nanos, PricedBy.LIST)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("deepseek-r1:14b", "ollama"),
        ("gpt-oss-120b", "hosted_vllm"),
        ("deepseek-r1", "lm_studio"),
        ("whisper-1", "openai"),
        ("gpt-4o-mini", "deepinfra"),
    ],
)
def test_a_server_of_ones_own_and_what_is_not_sold_by_the_token_are_unpriced(
    stored: Callable[..., Call], model: str, provider: str
) -> None:
    assert cost(stored(model=model, provider=provider)) == (0, PricedBy.NOTHING)


def test_a_server_of_ones_own_has_the_price_that_the_site_gives_it(stored: Callable[..., Call]) -> None:
    site_price("deepseek-r1:14b")
    assert cost(stored(model="deepseek-r1:14b", provider="ollama")) == (700_000_000, PricedBy.SITE)


def test_a_call_that_its_client_left_costs_the_tokens_that_were_used(stored: Callable[..., Call]) -> None:
    assert cost(stored(status=499)) == (15_000_000, PricedBy.LIST)


def test_a_call_that_its_client_left_costs_what_it_reports(stored: Callable[..., Call]) -> None:
    assert cost(stored(status=499, cost_usd="0.2")) == (200_000_000, PricedBy.REPORT)


def test_other_failures_without_a_cost_are_not_charged(stored: Callable[..., Call]) -> None:
    assert cost(stored(status=500)) == (0, PricedBy.FAILURE)


@pytest.mark.parametrize("hit", [None, "True"])
def test_a_model_that_litellm_could_not_price_gets_the_sites_price(
    client: Client, post: Callable[..., Any], mia: str, hit: str | None
) -> None:
    site_price("house")
    started_at = datetime.fromisoformat(record()["started_at"]).timestamp()
    nothing = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0, "mode": None, "max_tokens": None}
    payload = {
        "litellm_call_id": "c1", "status": "success", "model": "openai/house-7b", "model_group": "house",
        "custom_llm_provider": "openai", "startTime": started_at, "endTime": started_at + 1,
        "prompt_tokens": 1000, "completion_tokens": 0, "response_cost": 0.0, "cache_hit": hit,
        "model_map_information": {"model_map_key": "house-7b", "model_map_value": nothing},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {mia}"}
    response = client.post("/api/v1/litellm", json.dumps([payload]), "application/json", headers=headers)
    assert response.status_code == 200, response.content
    expected = (0, PricedBy.REPORT) if hit else (7_000_000, PricedBy.SITE)
    assert cost(Call.objects.get()) == expected
