"""OpenInference: names below `llm.`."""

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.logs.formats.dialects.spans import call_of, tokens_of
from tests.logs.formats.test_otlp import pairs

LLM: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.provider": "anthropic",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 130_213,
    "llm.token_count.completion": 500,
    "llm.token_count.prompt_details.cache_read": 128_955,
    "llm.token_count.prompt_details.cache_write": 1_253,
    "llm.token_count.prompt_details.audio": 5,
    "llm.token_count.completion_details.reasoning": 90,
    "llm.token_count.completion_details.audio": 6,
    "llm.cost.total": 0.0509,
}


def test_an_llm_span_is_a_call() -> None:
    call = call_of(LLM)
    assert (call.model, call.provider, call.cost_nanos) == ("claude-sonnet-4-5", "anthropic", 50_900_000)
    assert tokens_of(call) == (130_213, 500, 128_955, 1_253, 90)
    assert (call.input_audio_tokens, call.output_audio_tokens) == (5, 6)


def test_the_model_asked_for_and_the_one_that_answered_are_told_apart() -> None:
    names: dict[str, Any] = {"llm.request.model_name": "router", "llm.response.model_name": "claude-haiku-4-5"}
    call = call_of({**LLM, **names})
    assert (call.model, call.response_model) == ("router", "claude-haiku-4-5")


def test_an_embedding_is_a_call() -> None:
    call = call_of(
        {
            "openinference.span.kind": "EMBEDDING",
            "embedding.model_name": "text-embedding-3-small",
            "llm.token_count.prompt": 12,
        }
    )
    assert (call.model, call.input_tokens) == ("text-embedding-3-small", 12)


def test_a_call_that_failed_names_its_model_among_the_parameters_only() -> None:
    failed = {
        "openinference.span.kind": "LLM",
        "llm.system": "openai",
        "llm.invocation_parameters": '{"model": "gpt-4o-mini"}',
    }
    event = Span.Event(name="exception", attributes=pairs({"exception.type": "openai.RateLimitError"}))
    call = call_of(failed, status=Status(code=Status.STATUS_CODE_ERROR), events=[event])
    assert (call.model, call.status, call.corrections) == ("gpt-4o-mini", 429, [])
