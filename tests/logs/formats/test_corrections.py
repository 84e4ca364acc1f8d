"""One value that makes no sense does not lose a call: it is corrected or left out, and noted."""

from decimal import Decimal
from typing import Any

import pytest

from tests.logs.formats.dialects.spans import call_of
from tests.logs.formats.test_litellm import START, parsed
from tests.logs.formats.test_otlp import CHAT
from tests.logs.formats.test_otlp import START as NANOS

NAN = float("nan")


@pytest.mark.parametrize(
    ("fields", "attribute", "value", "note"),
    [
        ({"response_cost": Decimal("-0.4817")}, "cost_nanos", None, "response_cost must not be negative; left out."),
        ({"response_cost": NAN}, "cost_nanos", None, "response_cost must be an amount of US dollars"),
        ({"response_cost": 10_001}, "cost_nanos", None, "response_cost must be at most 10000 dollars"),
        ({"response_cost": "much"}, "cost_nanos", None, "response_cost must be an amount"),
        ({"prompt_tokens": Decimal("1000.5")}, "input_tokens", 1000, "prompt_tokens must be a whole number; rounded"),
        ({"completion_tokens": -1}, "output_tokens", 50, "completion_tokens must not be negative; left out."),
        ({"completion_tokens": NAN}, "output_tokens", 50, "completion_tokens must be a whole number; left out."),
        ({"completion_tokens": 10**10}, "output_tokens", 50, "completion_tokens must be at most 1000000000"),
        ({"completion_tokens": Decimal("1e999999")}, "output_tokens", 50, "completion_tokens must be at most"),
        ({"completion_tokens": True}, "output_tokens", 50, "completion_tokens must be a whole number"),
        ({"endTime": START + 9 * 86_400}, "latency_ms", None, "endTime must be at most seven days after the start"),
        ({"endTime": START - 1}, "latency_ms", None, "endTime must not be before the start; left out."),
        ({"endTime": "later"}, "latency_ms", None, "endTime must be seconds since 1970; left out."),
        ({"stream": True, "completionStartTime": NAN}, "ttft_ms", None, "completionStartTime must be seconds"),
        ({"model": "", "model_group": ""}, "model", "unknown", "model must not be empty; recorded as “unknown”."),
        ({"model": None, "model_group": None}, "model", "unknown", "model must not be empty; recorded as"),
        ({"model": 7, "model_group": {}}, "model", "unknown", "model must be a string; recorded as"),
        ({"model_group": "a\0b"}, "model", "ab", "model must not contain NUL characters; corrected."),
        ({"custom_llm_provider": "p" * 65}, "provider", "p" * 64, "custom_llm_provider must have at most 64"),
        ({"custom_llm_provider": 7}, "provider", "", "custom_llm_provider must be a string; left out."),
        ({"call_type": "c" * 65}, "endpoint", "c" * 64, "call_type must have at most 64 characters; shortened."),
        ({"model_id": "m" * 65}, "channel", "m" * 64, "model_id must have at most 64 characters; shortened."),
        ({"session_id": "\ud800"}, "session_id", "?", "session_id must be valid UTF-8; corrected."),
        ({"request_tags": ["t" * 65, 7]}, "tags", ["t" * 64], "request_tags[0] must have at most 64 characters"),
        ({"request_tags": [*"abcdefghijklmnopq"]}, "tags", [*"abcdefghijklmnop"], "request_tags must be a list of at"),
        ({"request_tags": "nightly"}, "tags", [], "request_tags must be a list"),
    ],
)  # fmt: skip
def test_a_call_of_litellm_is_kept(fields: Any, attribute: str, value: Any, note: str) -> None:
    call = parsed(**fields)
    assert getattr(call, attribute) == value
    assert [one.startswith(note) for one in call.corrections] == [True], call.corrections


@pytest.mark.parametrize(
    ("attributes", "fields", "attribute", "value", "note"),
    [
        ({"gen_ai.usage.input_tokens": -5}, {}, "input_tokens", 320, "gen_ai.usage.input_tokens must not be negative"),
        ({"gen_ai.usage.input_tokens": 1000.5}, {}, "input_tokens", 1000, "gen_ai.usage.input_tokens must be a whole"),
        ({"gen_ai.usage.output_tokens": "many"}, {}, "output_tokens", 50, "gen_ai.usage.output_tokens must be a whole"),
        ({"gen_ai.usage.cost": NAN}, {}, "cost_nanos", None, "gen_ai.usage.cost must be an amount"),
        ({"gen_ai.usage.cost": -1.0}, {}, "cost_nanos", None, "gen_ai.usage.cost must not be negative"),
        ({"operation.cost": float("inf")}, {}, "cost_nanos", None, "operation.cost must be an amount"),
        ({"gen_ai.response.time_to_first_chunk": -1.0}, {}, "ttft_ms", None, "gen_ai.response.time_to_first_chunk"),
        ({"gen_ai.response.time_to_first_chunk": 1e308}, {}, "ttft_ms", None, "gen_ai.response.time_to_first_chunk"),
        ({}, {"end_time_unix_nano": NANOS - 1_000_000}, "latency_ms", None, "endTimeUnixNano must not be before"),
        ({}, {"end_time_unix_nano": 2**64 - 1}, "latency_ms", None, "endTimeUnixNano must be at most seven days"),
        ({"gen_ai.request.model": 7}, {}, "model", "unknown", "gen_ai.request.model must be a string; recorded as"),
        ({"gen_ai.provider.name": "p" * 65}, {}, "provider", "p" * 64, "gen_ai.provider.name must have at most 64"),
        ({"gen_ai.response.model": "m" * 257}, {}, "response_model", "m" * 256, "gen_ai.response.model must have"),
        ({"callboard.token": "t" * 300}, {}, "token", "", "callboard.token must have at most 254 characters; left out"),
    ],
)  # fmt: skip
def test_a_span_is_kept(
    attributes: Any, fields: dict[str, Any] | dict[str, int], attribute: str, value: int | str | None, note: str
) -> None:
    call = call_of({**CHAT, **attributes}, **fields)
    assert getattr(call, attribute) == value
    assert [one.startswith(note) for one in call.corrections] == [True], call.corrections


def test_a_number_that_makes_no_sense_under_one_name_is_read_under_the_next() -> None:
    call = call_of({**CHAT, "gen_ai.usage.input_tokens": -5, "gen_ai.usage.prompt_tokens": 700})
    assert call.input_tokens == 700
    assert call.corrections == ["gen_ai.usage.input_tokens must not be negative; left out."]


@pytest.mark.parametrize("number", ["1000", " 1000 ", "1e3", "1000.0", 1000.0, Decimal(1000)])
def test_numbers_as_strings_are_read_and_not_noted(number: str | float | Decimal) -> None:
    call = parsed(prompt_tokens=number, response_cost="0.00027", startTime=str(START), endTime=f"{START + 1}")
    assert (call.input_tokens, call.cost_nanos, call.latency_ms, call.corrections) == (1000, 270_000, 1000, [])


def test_two_long_names_of_models_stay_apart() -> None:
    names = [parsed(model_group="m" * 200 + end).model for end in "ab"]
    assert [len(name) for name in names] == [128, 128]
    assert names[0] != names[1]
    assert parsed(model_group="m" * 200 + "a").model == names[0]
    assert parsed(model_group="m" * 128).corrections == []


def test_parts_are_never_more_than_their_whole() -> None:
    usage = {"prompt_tokens_details": {"audio_tokens": 5000, "cached_tokens": 10},
             "completion_tokens_details": {"reasoning_tokens": 900},
             "cache_creation": {"ephemeral_1h_input_tokens": 60}}  # fmt: skip
    call = parsed(metadata={"usage_object": usage})
    assert (call.input_tokens, call.input_audio_tokens) == (1000, 1000)
    assert (call.output_tokens, call.reasoning_tokens) == (1100, 900), "counted beside the output"
    assert (call.cache_write_tokens, call.cache_write_1h_tokens) == (60, 60)
    assert call.corrections == ["metadata.usage_object must not be more than prompt_tokens; reduced to 1000."]


def test_several_values_are_corrected_together() -> None:
    call = parsed(prompt_tokens=-1, response_cost=-1, model="", model_group="m" * 300, call_type=7)
    assert len(call.corrections) == 4


def test_a_note_never_holds_the_value() -> None:
    secret = "a secret question " * 10
    notes = [
        *parsed(prompt_tokens=secret, response_cost=secret, call_type=secret, request_tags=secret).corrections,
        *call_of({**CHAT, "gen_ai.usage.input_tokens": secret, "gen_ai.provider.name": secret}).corrections,
    ]
    assert len(notes) == 6
    assert "secret" not in repr(notes)


def test_a_call_that_makes_sense_has_no_notes() -> None:
    assert parsed().corrections == call_of(CHAT).corrections == []
    assert parsed().details == {"response_model": "gpt-4o-mini"}
