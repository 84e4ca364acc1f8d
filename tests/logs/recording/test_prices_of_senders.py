"""The price of a call as it comes over OTLP and from LiteLLM, from the attributes to the stored cost."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from logs.models import Call
from tests.logs.conftest import report
from tests.logs.formats.test_otlp import request, span
from usage.prices.models import Price, PricedBy, ZeroReport

PROTOBUF = "application/x-protobuf"
SONNET: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 130_213,
    "gen_ai.usage.output_tokens": 500,
}
DEPLOYMENT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "azure.ai.openai",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.usage.input_tokens": 100_000,
}
GPT5: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.usage.input_tokens": 1_000_000,
}


@pytest.fixture
def traced(client: Client, mia: str) -> Callable[..., Call]:
    """`traced({attribute: value, …})`: the call that a span with these attributes becomes."""

    def send(attributes: dict[str, object]) -> Call:
        now = time.time_ns()
        one = span(attributes, start_time_unix_nano=now - 2_000_000_000, end_time_unix_nano=now)
        response = report(client, "/otlp/v1/traces", mia, request(one), PROTOBUF)
        assert response.status_code == 200, response.content
        return Call.objects.get()

    return send


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
        ("gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cache_write_tokens"),
        ("gen_ai.usage.cache_read_tokens", "gen_ai.usage.cache_write_tokens"),
        ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
    ],
)
def test_cached_tokens_cost_what_they_cost_under_every_name(
    traced: Callable[..., Call], read: str, written: str
) -> None:
    call = traced({**SONNET, read: 128_955, written: 1253})
    assert (call.cost_nanos, call.priced_by) == (50_900_250, PricedBy.LIST)


@pytest.mark.parametrize("model", ["gpt-4", "prod-chat", "gpt-4o-mini"])
def test_a_deployment_costs_what_the_model_costs_that_answered(traced: Callable[..., Call], model: str) -> None:
    call = traced({**DEPLOYMENT, "gen_ai.request.model": model})
    assert (call.model, call.cost_nanos, call.priced_by) == (model, 15_000_000, PricedBy.LIST)


@pytest.mark.parametrize("name", ["openai.response.service_tier", "gen_ai.openai.response.service_tier"])
@pytest.mark.parametrize(
    ("tier", "nanos"), [("flex", 625_000_000), ("priority", 2_500_000_000), ("default", 1_250_000_000)]
)
def test_a_tier_is_priced_as_such(traced: Callable[..., Call], name: str, tier: str, nanos: int) -> None:
    assert traced({**GPT5, name: tier}).cost_nanos == nanos


def payload(**fields: Any) -> dict[str, object]:
    now = time.time()
    return {
        "litellm_call_id": "c1", "id": "chatcmpl-1", "status": "success", "call_type": "acompletion",
        "custom_llm_provider": "openai", "model": "openai/gpt-4o-mini", "model_group": "gpt-4",
        "startTime": now - 2, "endTime": now, "prompt_tokens": 1_000_000, "completion_tokens": 0,
        "response_cost": None, "cache_hit": None, "metadata": {}, **fields,
    }  # fmt: skip


@pytest.fixture
def called(client: Client, mia: str) -> Callable[..., Call]:
    """`called(field=value, …)`: the call that a LiteLLM payload with these fields becomes."""

    def send(**fields: Any) -> Call:
        response = report(client, "/api/v1/litellm", mia, json.dumps([payload(**fields)]).encode())
        assert response.status_code == 200, response.content
        return Call.objects.get()

    return send


@pytest.mark.parametrize(
    ("fields", "model", "nanos"),
    [
        ({}, "gpt-4", 150_000_000),
        ({"model_group": "openai/gpt-4o", "model": "openai/gpt-4o"}, "openai/gpt-4o", 2_500_000_000),
        ({"model_group": None}, "gpt-4o-mini", 150_000_000),
        (
            {"model_group": "fast", "model": "azure/gpt-4o-mini", "custom_llm_provider": "azure"},
            "fast",
            150_000_000,
        ),
    ],
)
def test_a_model_group_of_litellm_costs_what_its_deployment_costs(
    called: Callable[..., Call],
    fields: dict[str, Any] | dict[str, str] | dict[str, None],
    model: str,
    nanos: int,
) -> None:
    call = called(**fields)
    assert (call.model, call.cost_nanos, call.priced_by) == (model, nanos, PricedBy.LIST)


def test_a_model_group_on_a_server_of_ones_own_has_no_list_price(called: Callable[..., Call]) -> None:
    call = called(model_group="deepseek-r1", model="hosted_vllm/deepseek-r1", custom_llm_provider="hosted_vllm")
    assert (call.cost_nanos, call.priced_by) == (0, PricedBy.NOTHING)


def test_kinds_of_tokens_that_litellm_hands_on_are_priced(called: Callable[..., Call]) -> None:
    usage = {
        "prompt_tokens_details": {"audio_tokens": 400},
        "completion_tokens_details": {"audio_tokens": 0},
    }
    call = called(
        model="openai/gpt-realtime", model_group="voice", prompt_tokens=1000, metadata={"usage_object": usage}
    )
    assert call.cost_nanos == 600 * 4000 + 400 * 32_000


def test_cache_writes_for_an_hour_that_litellm_hands_on_are_priced(called: Callable[..., Call]) -> None:
    usage = {
        "cache_creation_input_tokens": 1000,
        "prompt_tokens_details": {"cache_creation_token_details": {"ephemeral_1h_input_tokens": 600}},
    }
    call = called(
        model="anthropic/claude-sonnet-4-5", model_group="sonnet", custom_llm_provider="anthropic",
        prompt_tokens=1000, metadata={"usage_object": usage},
    )  # fmt: skip
    assert call.cost_nanos == 400 * 3750 + 600 * 6000


@pytest.mark.parametrize(("tier", "nanos"), [("flex", 625_000_000), ("priority", 2_500_000_000)])
def test_a_tier_that_litellm_used_is_priced(called: Callable[..., Call], tier: str, nanos: int) -> None:
    call = called(model="openai/gpt-5", model_group="best", cost_breakdown={"service_tier": tier})
    assert call.cost_nanos == nanos


def test_tokens_that_litellm_reports_at_0_by_mistake_are_counted(called: Callable[..., Call]) -> None:
    priced = {
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 5e-06,
        "mode": "chat",
        "max_tokens": 64_000,
    }
    haiku: dict[str, Any] = {
        "model": "anthropic/claude-haiku-4-5",
        "model_group": "haiku",
        "custom_llm_provider": "anthropic",
    }
    call = called(
        **haiku, response_cost=0.0, prompt_tokens=100_000, completion_tokens=10_000,
        model_map_information={"model_map_key": "claude-haiku-4-5", "model_map_value": priced},
    )  # fmt: skip
    assert (call.cost_nanos, call.priced_by) == (0, PricedBy.REPORT)
    assert ZeroReport.objects.values_list("model", "calls", "worth_nanos").get() == ("haiku", 1, 150_000_000)


def test_a_site_price_of_a_model_group_comes_before_the_list(called: Callable[..., Call]) -> None:
    since = timezone.now() - timedelta(days=1)
    Price.objects.create(model="gpt-4", input_usd=9, output_usd=9, valid_from=since)
    call = called()
    assert (call.cost_nanos, call.priced_by) == (9_000_000_000, PricedBy.SITE)
