"""OpenLLMetry, and names that others put on the same spans."""

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from logs.formats.dialects import FIRST_CHUNK_EVENT
from tests.logs.formats.dialects.spans import call_of, tokens_of
from tests.logs.formats.test_otlp import START

CHAT: dict[str, Any] = {
    "gen_ai.system": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "llm.request.type": "chat",
    "gen_ai.usage.prompt_tokens": 130_213,
    "gen_ai.usage.completion_tokens": 500,
}


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
        ("gen_ai.usage.cache_read_tokens", "gen_ai.usage.cache_write_tokens"),
        ("gen_ai.usage.input_cached_tokens", "gen_ai.usage.cache_creation_tokens"),
        ("gen_ai.usage.input_tokens.cached", "gen_ai.usage.input_tokens.cache_write"),
    ],
)
def test_cached_tokens_are_known_under_every_name(read: str, written: str) -> None:
    assert tokens_of(call_of({**CHAT, read: 128_955, written: 1_253})) == (130_213, 500, 128_955, 1_253, 0)


@pytest.mark.parametrize("attribute", ["gen_ai.usage.cost", "gen_ai.usage.total_cost"])
def test_the_cost_is_read_where_openrouter_and_others_put_it(attribute: str) -> None:
    assert call_of({**CHAT, attribute: 0.0125}).cost_nanos == 12_500_000


def test_a_stream_tells_of_its_first_chunk_by_an_event() -> None:
    events = [Span.Event(name=FIRST_CHUNK_EVENT, time_unix_nano=START + step * 300_000_000) for step in (1, 2)]
    call = call_of({**CHAT, "gen_ai.is_streaming": True}, events=events)
    assert (call.stream, call.ttft_ms) == (True, 300)
    assert call_of({**CHAT, "gen_ai.is_streaming": True}).stream
