"""A call with a value that makes no sense is stored, with a note of what was corrected."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from logs.models import Call
from tests.logs.conftest import record, report
from tests.logs.recording.test_api_litellm import payload
from tests.logs.recording.test_api_otlp import PROTOBUF, fresh


@pytest.mark.parametrize(
    "fields",
    [
        {"response_cost": -0.4817},
        {"response_cost": float("nan")},
        {"response_cost": 20_000},
        {"prompt_tokens": 100.5},
        {"prompt_tokens": -100},
        {"model": "", "model_group": ""},
        {"model": None},
        {"model_group": "m" * 129},
        {"endTime": 4_102_444_800.0},  # the year 2100
        {"custom_llm_provider": "p" * 100},
        {"call_type": "c" * 100},
        {"model_id": "d" * 100},
        {"completion_tokens": 10**12},
    ],
    ids=str,
)
def test_a_call_of_litellm_is_not_lost_for_one_value(client: Client, mia: str, fields: Any) -> None:
    body = json.dumps([payload("bad", **fields), payload("good")]).encode()
    answer = report(client, "/api/v1/litellm", mia, body).json()
    assert (answer["accepted"], answer["rejected"]) == (2, [])
    details = dict(Call.objects.values_list("request_id", "details"))
    [corrected] = [found for found in details.values() if found and "corrections" in found]
    assert len(corrected["corrections"]) == 1


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.usage.cost": float("nan")},
        {"gen_ai.usage.input_tokens": -5},
        {"gen_ai.request.model": "m" * 200},
    ],
    ids=str,
)
def test_nor_is_a_span(
    client: Client, mia: str, attributes: dict[str, float] | dict[str, int] | dict[str, str]
) -> None:
    assert report(client, "/otlp/v1/traces", mia, fresh(**attributes), PROTOBUF).content == b""
    assert len(Call.objects.get().details["corrections"]) == 1


@pytest.mark.parametrize(
    "fields",
    [{"cost_usd": -1}, {"input_tokens": 100.5}, {"model": ""}, {"latency_ms": 10**9}, {"input_tokens": "7"}],
)
def test_in_our_own_format_it_is_rejected_as_before(
    post: Callable[..., Any], mia: str, fields: dict[str, int] | dict[str, float] | dict[str, str]
) -> None:
    answer = post(mia, [record("bad", **fields), record("good")]).json()
    assert (answer["accepted"], len(answer["rejected"])) == (1, 1)


def test_a_client_that_went_away_is_a_state_of_its_own_and_pays_for_its_tokens(
    client: Client, mia: str
) -> None:
    gone = {"error_code": "499", "error_class": "ClientDisconnected", "error_message": "Client disconnected"}
    batch = [
        payload("told", error_information=gone),
        payload("untold", error_information=gone, response_cost=None, status="failure"),
    ]
    assert report(client, "/api/v1/litellm", mia, batch).json()["accepted"] == 2
    calls = {call.cost_nanos: call for call in Call.objects.all()}
    assert {(call.status, call.error_type) for call in calls.values()} == {(499, "ClientDisconnected")}
    assert 450_000 in calls
