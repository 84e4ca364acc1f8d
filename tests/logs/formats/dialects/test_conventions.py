"""The GenAI conventions of OpenTelemetry, in their new names and in those of v1.36."""

from typing import Any

import pytest

from tests.logs.formats.dialects.spans import call_of, tokens_of

NEW: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "azure.ai.openai",
    "gen_ai.request.model": "prod-chat",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 200,
    "gen_ai.usage.cache_read.input_tokens": 300,
    "gen_ai.usage.cache_creation.input_tokens": 20,
    "gen_ai.usage.reasoning.output_tokens": 50,
}


def test_the_call_is_shown_under_the_model_asked_for_and_remembers_the_one_that_answered() -> None:
    call = call_of(NEW)
    assert (call.model, call.response_model, call.provider) == (
        "prod-chat",
        "gpt-4o-mini-2024-07-18",
        "azure.ai.openai",
    )
    assert tokens_of(call) == (1000, 200, 300, 20, 50)
    assert call.corrections == []


def test_a_model_that_answered_under_the_same_name_is_not_stored_twice() -> None:
    assert call_of({**NEW, "gen_ai.response.model": "prod-chat"}).response_model == ""


def test_the_old_names_say_the_same() -> None:
    old = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.prompt_tokens": 7,
        "gen_ai.usage.completion_tokens": 8,
    }
    call = call_of(old)
    assert (call.provider, call.model, *tokens_of(call)[:2]) == ("openai", "gpt-4o", 7, 8)


@pytest.mark.parametrize(
    ("attribute", "tier", "stored"),
    [
        ("openai.response.service_tier", "flex", "flex"),
        ("gen_ai.openai.response.service_tier", "priority", "priority"),
        ("openai.request.service_tier", "batch", "batch"),
        ("openai.response.service_tier", "default", ""),
        ("openai.request.service_tier", "auto", ""),
        ("gen_ai.openai.request.service_tier", "scale", ""),
    ],
)
def test_the_service_tier_is_read_where_a_price_may_depend_on_it(
    attribute: str, tier: str, stored: str
) -> None:
    call = call_of({**NEW, attribute: tier})
    assert (call.service_tier, call.corrections) == (stored, [])


def test_the_tier_that_answered_counts_and_not_the_one_that_was_asked_for() -> None:
    tiers: dict[str, Any] = {
        "openai.request.service_tier": "priority",
        "openai.response.service_tier": "default",
    }
    assert call_of({**NEW, **tiers}).service_tier == ""


def test_audio_tokens_are_parts_of_input_and_output() -> None:
    audio: dict[str, Any] = {"gen_ai.usage.audio.input_tokens": 40, "gen_ai.usage.audio.output_tokens": 30}
    call = call_of({**NEW, **audio})
    assert (call.input_audio_tokens, call.output_audio_tokens) == (40, 30)
    assert tokens_of(call)[:2] == (1000, 200)


def test_the_first_chunk_is_told_in_seconds() -> None:
    call = call_of({**NEW, "gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": 0.25})
    assert (call.stream, call.ttft_ms) == (True, 250)
