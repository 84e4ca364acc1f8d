"""Langfuse: tokens and dollars by kind, in JSON."""

import json
from typing import Any

import pytest

from logs.formats.reported import ReportedCall
from tests.logs.formats.dialects.spans import call_of, tokens_of

GENERATION: dict[str, Any] = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "claude-sonnet-4-5",
}


def generation(usage: dict[str, Any], **attributes: Any) -> ReportedCall:
    details: dict[str, Any] = {"langfuse.observation.usage_details": json.dumps(usage)}
    return call_of({**GENERATION, **details, **attributes})


@pytest.mark.parametrize(
    "usage",
    [
        {"input": 5, "output": 500, "cache_read_input_tokens": 128_955, "cache_creation_input_tokens": 1_253},
        {"input": 5, "output": 500, "input_cached_tokens": 128_955, "input_cache_creation": 1_253, "total": 130_713},
        {"input": "130213", "output": 500, "input_cache_read": 128_955, "input_cache_creation": 1253, "total": 130_713},
        {"input_tokens": 5, "output_tokens": 500, "cache_read_input_tokens": 128_955,
         "cache_creation_input_tokens": 1_253},
        {"prompt_tokens": 130_213, "completion_tokens": 500,
         "prompt_tokens_details": {"cached_tokens": 128_955, "cache_creation_tokens": 1_253}},
    ],
    ids=["apart", "apart, with a total", "included, as the total shows", "Anthropic's", "OpenAI's"],
)  # fmt: skip
def test_cached_tokens_are_part_of_the_input_however_they_are_counted(
    usage: dict[str, int] | dict[str, Any],
) -> None:
    call = generation(usage)
    assert tokens_of(call) == (130_213, 500, 128_955, 1_253, 0)
    assert call.corrections == []


def test_writes_for_an_hour_reasoning_and_audio_are_parts_too() -> None:
    call = generation(
        {"input": 100, "input_audio": 20, "input_cache_creation_5m": 3, "input_cache_creation_1h": 7,
         "output": 50, "output_reasoning": 30, "output_audio_tokens": 5}
    )  # fmt: skip
    assert tokens_of(call) == (130, 85, 0, 10, 30)
    assert (call.cache_write_1h_tokens, call.input_audio_tokens, call.output_audio_tokens) == (7, 20, 5)


@pytest.mark.parametrize("cost", [{"total": 0.0125}, {"input": "0.0025", "output": 0.01}])
def test_the_cost_is_the_total_or_the_sum(cost: dict[str, float] | dict[str, Any]) -> None:
    call = generation({"input": 1}, **{"langfuse.observation.cost_details": json.dumps(cost)})
    assert call.cost_nanos == 12_500_000


@pytest.mark.parametrize(
    "time", ["2026-11-20T11:59:00.750Z", '"2026-11-20T11:59:00.750000Z"', "2026-11-20T12:59:00.75+01:00"]
)
def test_the_first_token_is_told_as_a_time(time: str) -> None:
    call = generation({"input": 1}, **{"langfuse.observation.completion_start_time": time})
    assert (call.ttft_ms, call.stream) == (500, True)


@pytest.mark.parametrize("bad", ["[]", "{", "1", '{"input": "many"}', '{"input": -1}', '{"input": {}}'])
def test_details_that_cannot_be_read_do_not_lose_the_call(bad: str) -> None:
    call = call_of({**GENERATION, "langfuse.observation.usage_details": bad})
    assert tokens_of(call) == (0, 0, 0, 0, 0)


def test_a_first_token_before_the_start_is_left_out_and_noted() -> None:
    call = generation({"input": 1}, **{"langfuse.observation.completion_start_time": "2020-01-01T00:00:00Z"})
    assert call.ttft_ms is None
    assert (
        "langfuse.observation.completion_start_time must not be before the start; left out." in call.corrections
    )


def test_a_generation_of_the_level_error_failed() -> None:
    failed: dict[str, Any] = {
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "It broke",
    }
    call = generation({"input": 1}, **failed)
    assert (call.status, call.has_error, call.error_message) == (500, True, "It broke")
    assert not generation({"input": 1}, **{"langfuse.observation.level": "WARNING"}).has_error
