"""LiteLLM's StandardLoggingPayload: what becomes of each part, and what is easy to get wrong."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from logs.formats.litellm import parse_payload
from logs.formats.reported import InvalidRecordError, ReportedCall

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
START = Decimal("1795175940.25")  # 2026-11-20 11:59:00.25 UTC
NO_ERROR: dict[str, Any] = {"error_code": "", "error_class": "", "error_message": "", "traceback": ""}


def payload(**fields: Any) -> dict[str, Any]:
    """What a proxy posts for a call that went well, without the parts that are never read."""
    return {
        "id": "chatcmpl-1", "litellm_call_id": "call-1", "session_id": "s-1", "call_type": "acompletion",
        "cache_hit": None, "stream": None, "status": "success", "custom_llm_provider": "openai",
        "startTime": START, "endTime": START + Decimal("1.2"), "completionStartTime": START + Decimal("1.2"),
        "model": "openai/gpt-4o-mini", "model_group": "fast", "model_id": "deployment-7",
        "prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200,
        "response_cost": Decimal("0.00027"), "response_cost_failure_debug_info": None,
        "request_tags": ["nightly"], "end_user": "", "requester_ip_address": "10.0.0.7", "user_agent": "sdk/1",
        "metadata": {"user_api_key_hash": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
                     "user_api_key_alias": "laptop", "user_api_key_user_email": "mia@example.org",
                     "usage_object": {"prompt_tokens_details": {"cached_tokens": 300},
                                      "completion_tokens_details": {"reasoning_tokens": 50},
                                      "cache_creation_input_tokens": 20}},
        "error_str": None, "error_information": NO_ERROR,
        "messages": [{"role": "user", "content": "secret"}], "response": {"choices": ["secret"]},
        "model_map_information": {"model_map_value": {"input_cost_per_token": 1}},
        **fields,
    }  # fmt: skip


def parsed(**fields: Any) -> ReportedCall:
    return parse_payload(payload(**fields), NOW)


def failed(call_id: str = "call-1", **error: Any) -> ReportedCall:
    information = {**NO_ERROR, "error_class": "SomeError", "error_message": "It broke", **error}
    return parsed(
        litellm_call_id=call_id, status="failure", error_information=information, error_str="It broke",
        response_cost=0, model_id="", prompt_tokens=0, completion_tokens=0,
    )  # fmt: skip


def refusal(**fields: Any) -> InvalidRecordError:
    with pytest.raises(InvalidRecordError) as caught:
        parsed(**fields)
    return caught.value


def test_a_call_that_went_well() -> None:
    assert parsed() == ReportedCall(
        request_id="call-1", started_at=datetime(2026, 11, 20, 11, 59, 0, 250_000, tzinfo=UTC), model="fast",
        latency_ms=1200, input_tokens=1000, output_tokens=200, cached_tokens=300, cache_write_tokens=20,
        reasoning_tokens=50, cost_nanos=270_000, provider="openai", endpoint="chat", channel="deployment-7",
        ip="10.0.0.7", user_agent="sdk/1", session_id="s-1", tags=["nightly"], member="mia@example.org",
        metadata={"litellm_model": "openai/gpt-4o-mini", "key_alias": "laptop"}, response_model="gpt-4o-mini",
    )  # fmt: skip


def test_nothing_that_was_said_is_kept() -> None:
    assert "secret" not in repr(parsed())
    assert "Traceback" not in repr(failed(traceback="Traceback secret"))


def test_without_a_model_group_the_model_is_named_without_its_provider() -> None:
    assert parsed(model_group="").model == "gpt-4o-mini"
    assert parsed(model_group=None, model="gpt-4o-mini").model == "gpt-4o-mini"
    assert parsed(model_group="", model="org/model", custom_llm_provider="openai").model == "org/model"


def test_a_stream_has_a_time_to_first_token() -> None:
    call = parsed(stream=True, completionStartTime=START + Decimal("0.3"))
    assert (call.stream, call.ttft_ms) == (True, 300)


def test_the_first_token_at_the_end_tells_nothing() -> None:
    assert parsed(stream=True).ttft_ms is None
    assert parsed(stream=None, completionStartTime=START).ttft_ms is None


def test_a_clock_that_went_back_makes_the_latency_unknown() -> None:
    assert parsed(endTime=START - 1).latency_ms is None
    assert parsed(endTime=None).latency_ms is None


@pytest.mark.parametrize(
    ("error_code", "status"),
    [("429", 429), (429, 429), ("500", 500), ("499", 499), ("", 500), ("x", 500), (None, 500), ("200", 500),
     ("1000", 500), ("٤٢٩", 500), ("4.5", 500)],
)  # fmt: skip
def test_the_status_of_a_failure_is_its_code_if_that_is_one(error_code: str | int | None, status: int) -> None:
    call = failed(error_code=error_code)
    assert (call.status, call.has_error) == (status, True)
    assert (call.error_type, call.error_message) == ("SomeError", "It broke")


def test_a_word_as_error_code_is_kept() -> None:
    assert failed(error_code="context_length_exceeded").error_code == "context_length_exceeded"


def test_a_failure_without_information_still_is_one() -> None:
    call = parsed(status="failure", error_information=None, error_str="Lost")
    assert (call.status, call.has_error, call.error_message) == (500, True, "Lost")


def test_a_price_that_litellm_does_not_know_is_left_to_our_list() -> None:
    assert (
        parsed(response_cost=0, response_cost_failure_debug_info={"error_str": "unmapped"}).cost_nanos is None
    )
    assert parsed(response_cost=None).cost_nanos is None
    assert failed().cost_nanos is None


NO_PRICE: dict[str, Any] = {
    "input_cost_per_token": 0,
    "output_cost_per_token": 0,
    "mode": None,
    "max_tokens": None,
}


@pytest.mark.parametrize("row", [NO_PRICE, {}, None], ids=["a row that says nothing", "an empty row", "no row"])
def test_a_model_that_litellm_has_no_price_of_is_not_reported_at_nothing(row: dict[str, Any] | None) -> None:
    unknown: dict[str, Any] = {
        "response_cost": 0,
        "model_map_information": {"model_map_key": "own", "model_map_value": row},
    }
    assert parsed(**unknown).cost_nanos is None
    for hit in (True, "True"):
        assert parsed(**unknown, cache_hit=hit).cost_nanos == 0
    assert parsed(**(unknown | {"response_cost": Decimal("0.1")})).cost_nanos == 100_000_000


@pytest.mark.parametrize(
    "told",
    [
        {"model_map_value": {**NO_PRICE, "mode": "chat", "max_tokens": 8192}},
        {"model_map_value": {**NO_PRICE, "input_cost_per_token": 0.000001}},
        {},
        None,
    ],
)
def test_what_litellm_knows_and_reports_at_nothing_is_reported_at_nothing(
    told: dict[str, dict[str, Any]] | dict[str, Any] | None,
) -> None:
    assert parsed(response_cost=0, model_map_information=told).cost_nanos == 0


def test_what_cost_nothing_costs_nothing() -> None:
    assert parsed(response_cost=0, cache_hit=True).cost_nanos == 0


@pytest.mark.parametrize("hit", [True, "True"])
def test_an_answer_from_the_cache_is_marked(hit: bool | str) -> None:
    assert parsed(cache_hit=hit).metadata["cache_hit"] is True
    assert "cache_hit" not in parsed(cache_hit="False").metadata


def test_cached_tokens_in_the_words_of_anthropic() -> None:
    usage = {"cache_read_input_tokens": 700, "cache_creation_input_tokens": 100}
    call = parsed(metadata={"usage_object": usage})
    assert (call.input_tokens, call.cached_tokens, call.cache_write_tokens) == (1000, 700, 100)


def test_cached_tokens_that_were_counted_beside_the_input_are_added_to_it() -> None:
    call = parsed(metadata={"usage_object": {"cache_read_input_tokens": 5000}})
    assert (call.input_tokens, call.cached_tokens) == (6000, 5000)


def test_usage_may_be_in_the_hidden_parameters_alone() -> None:
    usage = {"prompt_tokens_details": {"cached_tokens": 9}}
    assert parsed(metadata={}, hidden_params={"usage_object": usage}).cached_tokens == 9


class TestWho:
    def test_the_token_that_the_gateway_put_there_comes_first(self) -> None:
        metadata = {
            "user_api_key_auth_metadata": {"callboard_token": "tok_1"},
            "user_api_key_user_email": "mia@example.org",
        }
        call = parsed(metadata=metadata)
        assert (call.token, call.member) == ("tok_1", "")

    @pytest.mark.parametrize("where", ["user_api_key_hash", "user_api_key_alias"])
    @pytest.mark.parametrize("token", ["tok_1", "cb_live_secret", "cb_test_secret"])
    def test_a_token_of_ours_as_key_or_alias_is_recognised(self, where: str, token: str) -> None:
        assert parsed(metadata={where: token}).token == token

    @pytest.mark.parametrize("key", ["litellm_proxy_master_key", "88dc28d0f0", "", None])
    def test_keys_of_litellm_are_not_tokens_of_ours(self, key: str | None) -> None:
        assert parsed(metadata={"user_api_key_hash": key, "user_api_key_alias": key}).token == ""

    def test_the_member_may_be_the_end_user(self) -> None:
        assert parsed(metadata={}, end_user="mia@example.org").member == "mia@example.org"
        assert parsed(metadata={}, end_user="customer-7").member == ""
        assert parsed(metadata={}, model_parameters={"user": "mia@example.org"}).member == "mia@example.org"

    def test_the_team_is_named_beside_the_member(self) -> None:
        metadata = {"user_api_key_auth_metadata": {"callboard_team": "harbour"}}
        call = parsed(metadata=metadata, end_user="mia@example.org")
        assert (call.team, call.member) == ("harbour", "mia@example.org")


def test_attempts_of_a_router_are_calls_of_their_own() -> None:
    """They share the id; were they one call, a failure would keep out the success that follows."""
    attempt: dict[str, Any] = {
        "status": "failure",
        "error_information": {**NO_ERROR, "error_code": "500"},
        "response_cost": 0,
    }
    first, second = parsed(**attempt), parsed(**attempt, startTime=START + 1)
    assert len({first.request_id, second.request_id, parsed().request_id}) == 3
    assert parsed(**attempt).request_id == first.request_id, "the same one sent again stays the same"


def test_a_failure_before_a_deployment_was_picked_keeps_its_id() -> None:
    assert failed().request_id == "call-1"


def test_without_a_call_id_the_id_of_the_response_is_used() -> None:
    assert parsed(litellm_call_id=None).request_id == "chatcmpl-1"


def test_descriptions_that_do_not_fit_are_made_to_fit() -> None:
    call = parsed(
        requester_ip_address="testclient", user_agent="u" * 300,
        request_tags=["t" * 80, 7, "", *"abcdefghijklmnopqr"],
        model_id="m" * 80, call_type="x\0y", session_id="\ud800",
        metadata={"spend_logs_metadata": {"prompt": "secret", "job": "x" * 5000}},
    )  # fmt: skip
    assert (call.ip, len(call.user_agent), len(call.tags), len(call.tags[0])) == ("", 256, 16, 64)
    assert (len(call.channel), call.endpoint, call.session_id) == (64, "xy", "?")
    assert call.metadata == {"litellm_model": "openai/gpt-4o-mini"}


def test_the_first_of_several_addresses_is_the_callers() -> None:
    assert parsed(requester_ip_address="10.0.0.7, 10.0.0.8").ip == "10.0.0.7"


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("litellm_call_id", 7),
        ("startTime", None),
        ("startTime", "2026-11-20 11:59:00"),
        ("startTime", 0),
        ("startTime", float("nan")),
        ("startTime", 10**400),
        ("startTime", Decimal("1e999999")),
        ("startTime", START + 3600),
    ],
)
def test_a_bad_value_is_refused_under_litellms_name(field: str, bad: Any) -> None:
    error = refusal(**{field: bad})
    assert error.param == field
    assert field in str(error)


@pytest.mark.parametrize("bad", [None, [], "text", 1])
def test_a_payload_must_be_an_object(bad: Any) -> None:
    with pytest.raises(InvalidRecordError, match="object"):
        parse_payload(bad, NOW)
