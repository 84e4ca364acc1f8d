"""Vercel's AI SDK: of its two spans the inner one is the call, with details under names of its own."""

from tests.logs.formats.dialects.spans import call_of, tokens_of
from tests.logs.formats.test_otlp import calls, span

INNER = {
    "operation.name": "ai.streamText.doStream",
    "gen_ai.system": "openai.responses",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2025-08-07",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 200,
    "ai.usage.cachedInputTokens": 300,
    "ai.usage.reasoningTokens": 50,
    "ai.response.msToFirstChunk": 250.4,
}


def test_details_and_the_first_chunk_are_read() -> None:
    call = call_of(INNER)
    assert tokens_of(call) == (1000, 200, 300, 0, 50)
    assert (call.ttft_ms, call.stream, call.response_model) == (250, True, "gpt-5-2025-08-07")


def test_the_outer_span_is_no_call() -> None:
    outer = {"operation.name": "ai.streamText", "ai.model.id": "gpt-5", "ai.usage.promptTokens": 1000}
    assert calls(span(outer)) == []
