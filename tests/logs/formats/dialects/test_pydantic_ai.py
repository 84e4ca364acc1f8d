"""pydantic-ai: details of usage under a prefix, and a cost."""

from tests.logs.formats.dialects.spans import call_of, tokens_of

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.agent.name": "support",
    "gen_ai.usage.input_tokens": 130_213,
    "gen_ai.usage.output_tokens": 500,
    "gen_ai.usage.details.cache_read_tokens": 128_955,
    "gen_ai.usage.details.cache_write_tokens": 1_253,
    "gen_ai.usage.details.reasoning_tokens": 90,
    "gen_ai.usage.details.input_audio_tokens": 4,
    "operation.cost": 0.05,
    "gen_ai.client.operation.time_to_first_chunk": 0.5,
}


def test_details_cost_and_the_first_chunk_are_read() -> None:
    call = call_of(CHAT)
    assert tokens_of(call) == (130_213, 500, 128_955, 1_253, 90)
    assert (call.input_audio_tokens, call.cost_nanos, call.ttft_ms) == (4, 50_000_000, 500)
