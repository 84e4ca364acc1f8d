"""Micrometer (Spring AI), which can only write strings."""

from tests.logs.formats.dialects.spans import call_of


def test_numbers_as_strings_are_read_and_nothing_is_noted() -> None:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": "1000",
        "gen_ai.usage.output_tokens": " 100 ",
        "gen_ai.usage.cost": "0.5",
        "gen_ai.response.time_to_first_chunk": "0.25",
        "gen_ai.request.stream": "true",
    }
    call = call_of(attributes)
    assert (call.input_tokens, call.output_tokens, call.cost_nanos) == (1000, 100, 500_000_000)
    assert (call.ttft_ms, call.stream, call.corrections) == (250, True, [])
