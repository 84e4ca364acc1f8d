"""Whose price it is: by the provider's name, by a prefix, or by nobody's."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot

from usage.prices.models import PricedBy
from usage.prices.price_list import public_price
from usage.prices.providers import UNLISTED, vendor_called, vendor_of_model, vendor_of_provider
from usage.prices.public_list import ModelNames, list_entry
from usage.prices.rates import Tokens

AT = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)


def rates(model: str, provider: str = "", response_model: str = "") -> tuple[Decimal, Decimal] | None:
    """Dollars per million tokens of input and output; None: unpriced."""
    priced = public_price(ModelNames(model, provider, response_model), AT, Tokens(1000, 1000))
    return (priced.rates.input, priced.rates.output) if priced.rates else None


def usd(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


@pytest.mark.parametrize(
    ("provider", "vendor"),
    [
        ("openai", "openai"),
        ("OpenAI", "openai"),
        ("text-completion-openai", "openai"),
        ("x_ai", "x-ai"),
        ("xai", "x-ai"),
        ("azure_ai", "azure"),
        ("azure.ai.inference", "azure"),
        ("azure.ai.openai", "azure"),
        ("az.ai.openai", "azure"),
        ("gcp.gen_ai", "google"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google"),
        ("vertex_ai", "google"),
        ("vertex_ai-anthropic_models", "google"),
        ("google-gla", "google"),
        ("gemini", "google"),
        ("aws.bedrock", "aws"),
        ("bedrock_converse", "aws"),
        ("fireworks_ai", "fireworks"),
        ("together_ai", "together"),
        ("mistral_ai", "mistral"),
        ("moonshot_ai", "moonshotai"),
        ("cohere_chat", "cohere"),
        ("api.anthropic.com", "anthropic"),
        ("groq.chat", "groq"),
        ("xai.chat", "x-ai"),
        ("azure-openai.responses", "azure"),
        ("anthropic.messages", "anthropic"),
        ("google.generative-ai", "google"),
        ("amazon-bedrock", "aws"),
        ("ollama", UNLISTED),
        ("ollama_chat", UNLISTED),
        ("hosted_vllm", UNLISTED),
        ("vllm-openai-2", UNLISTED),
        ("lm_studio", UNLISTED),
        ("LM Studio", UNLISTED),
        ("llamafile", UNLISTED),
        ("xinference", UNLISTED),
        ("triton", UNLISTED),
        ("custom_openai", UNLISTED),
        ("openai-compatible", UNLISTED),
        ("deepinfra", UNLISTED),
        ("ibm.watsonx.ai", UNLISTED),
        ("litellm", None),
        ("house-gateway", None),
        ("azure-east", None),
        ("", None),
        (" ", None),
    ],
)
def test_a_provider_names_a_vendor(provider: str, vendor: str | None) -> None:
    assert vendor_of_provider(provider) == vendor


def test_every_vendor_of_the_list_is_known_by_its_id() -> None:
    for provider in get_snapshot().providers:
        assert vendor_of_provider(provider.id) == provider.id


@pytest.mark.parametrize(
    ("model", "vendor"),
    [
        ("openai/gpt-4o", "openai"),
        ("azure/gpt-4o", "azure"),
        ("gemini/gemini-2.5-flash", "google"),
        ("models/gemini-2.5-flash", "google"),
        ("publishers/google/models/gemini-2.5-flash", "google"),
        ("vertex_ai/claude-sonnet-4-5@20250929", "google"),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("amazon.nova-pro-v1:0", "aws"),
        ("openrouter/anthropic/claude-sonnet-4.5", "openrouter"),
        ("litellm_proxy/openai/gpt-4o", "openai"),
        ("huggingface/together/deepseek-ai/DeepSeek-V3.1", "huggingface_together"),
        ("huggingface/bert-base", UNLISTED),
        ("ollama/llama3", UNLISTED),
        ("hosted_vllm/gpt-oss-120b", UNLISTED),
        ("meta-llama/Llama-3.3-70B-Instruct", None),
        ("house/gpt-4o", None),
        ("gpt-4o", None),
        ("/", None),
        ("", None),
    ],
)
def test_the_beginning_of_a_name_names_a_vendor(model: str, vendor: str | None) -> None:
    assert vendor_of_model(model) == vendor


def test_a_protocol_that_many_speak_gives_way_to_the_models_own_prefix() -> None:
    assert vendor_called("openai", "ollama/llama3") == UNLISTED
    assert vendor_called("openai", "openrouter/openai/gpt-4o") == "openrouter"
    assert vendor_called("anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0") == "aws"
    assert vendor_called("groq", "openai/gpt-oss-120b") == "groq"


def test_a_prefix_counts_for_both_names_of_a_model_where_no_provider_is_known() -> None:
    assert vendor_called("", "deepseek-r1:14b", "ollama/deepseek-r1") == UNLISTED
    assert vendor_called("openai", "gpt-4o-2024-08-06", "anthropic/claude-sonnet-4-5") == "openai"


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("openai/gpt-4o", "", usd("2.5", "10")),
        ("openai/gpt-4o", "openai", usd("2.5", "10")),
        ("openai/gpt-4o", "azure", usd("2.5", "10")),
        ("azure/eu/gpt-4o", "", usd("2.5", "10")),
        ("gemini/gemini-2.5-flash", "", usd("0.3", "2.5")),
        ("models/gemini-2.5-flash", "google", usd("0.3", "2.5")),
        ("models/gemini-2.5-flash", "", usd("0.3", "2.5")),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "", usd("3.3", "16.5")),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", usd("3.3", "16.5")),
        ("bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "", usd("3.3", "16.5")),
        ("vertex_ai/claude-sonnet-4-5@20250929", "", usd("3", "15")),
        ("grok-4", "x_ai", usd("3", "15")),
        ("gpt-oss-120b", "fireworks_ai", usd("0.15", "0.6")),
        ("fireworks_ai/accounts/fireworks/models/gpt-oss-120b", "", usd("0.15", "0.6")),
        ("openrouter/anthropic/claude-sonnet-4.5", "", usd("3", "15")),
        ("groq/openai/gpt-oss-120b", "", usd("0.15", "0.6")),
        ("gpt-4o-mini", "house-gateway", usd("0.15", "0.6")),
        ("gpt-4o-mini", "litellm_proxy", usd("0.15", "0.6")),
        ("vertex_ai/gemini-2.5-flash", "", usd("0.3", "2.5")),
        ("xai/grok-4", "", usd("3", "15")),
        ("together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo", "", usd("0.88", "0.88")),
        ("openrouter/openai/gpt-4o-mini", "openai", usd("0.15", "0.6")),
        ("models/gemini-2.5-flash", "openai", usd("0.3", "2.5")),
        (
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            usd("3.3", "16.5"),
        ),
        ("OpenAI/GPT-4o", "", usd("2.5", "10")),
        # No guess at another vendor.
        ("deepseek-r1:14b", "ollama", None),
        ("gpt-oss-120b", "hosted_vllm", None),
        ("deepseek-r1", "lm_studio", None),
        ("command-r", "ollama", None),
        ("ollama/command-r", "", None),
        ("gpt-4o-mini", "anthropic", None),
        ("deepseek-chat", "deepinfra", None),
        ("claude-sonnet-4-5", "openai", None),
    ],
)
def test_the_price_is_that_of_the_vendor(
    model: str, provider: str, expected: tuple[Decimal, ...] | None
) -> None:
    assert rates(model, provider) == expected


def test_the_model_that_answered_is_priced_before_the_one_that_is_shown() -> None:
    assert rates("gpt-4", "azure.ai.openai", "gpt-4o-mini-2024-07-18") == usd("0.15", "0.6")
    assert rates("prod-chat", "azure.ai.openai", "gpt-4o-mini-2024-07-18") == usd("0.15", "0.6")
    assert rates("gpt-4o", "openai", "a-snapshot-of-tomorrow") == usd("2.5", "10")
    assert rates("gpt-4", "", "openai/gpt-4o-mini") == usd("0.15", "0.6")


def test_a_model_that_answered_and_is_not_sold_by_the_token_is_unpriced_whatever_it_was_called() -> None:
    priced = public_price(ModelNames("gpt-4o", "openai", "whisper-1"), AT, Tokens(1000, 0))
    assert priced.by is PricedBy.NOTHING


@pytest.mark.parametrize("name", ["x" * 256, "a/" * 128, "openai/" * 30, "/" * 64, "\u202e日本", "%", "../.."])
def test_any_name_is_looked_up(name: str) -> None:
    for provider in ("", "openai", "openrouter", name[:64]):
        assert list_entry(ModelNames(name, provider, name)) is None
