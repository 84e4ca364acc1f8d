"""The spans of LiteLLM's `otel` callback, which say in text what its own callback says in objects."""

from typing import Any

import pytest

from tests.logs.formats.dialects.spans import call_of, tokens_of

SPAN: dict[str, Any] = {
    "gen_ai.operation.name": "acompletion",
    "litellm.call_id": "call-1",
    "litellm.model_group": "assistant",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini",
    "gen_ai.system": "openai",
    "gen_ai.usage.input_tokens": 40,
    "gen_ai.usage.output_tokens": 10,
    "metadata.usage_object": "{'completion_tokens': 10, 'prompt_tokens': 40, 'iterations': None, "
    "'prompt_tokens_details': {'cached_tokens': 20, 'cache_write_tokens': 10}}",
    "metadata.user_api_key_user_email": "mia@example.org",
    "gen_ai.cost.total_cost": 7.45e-05,
}


def test_the_alias_is_shown_and_the_deployments_model_answered() -> None:
    call = call_of(SPAN)
    assert (call.model, call.response_model, call.endpoint) == ("assistant", "gpt-4o-mini", "chat")
    assert (call.cost_nanos, call.member) == (74_500, "mia@example.org")


def test_cached_tokens_are_read_from_the_providers_usage() -> None:
    assert tokens_of(call_of(SPAN)) == (40, 10, 20, 10, 0)


@pytest.mark.parametrize(
    "attributes",
    [{"metadata.user_api_key_hash": "tok_abc"}, {"metadata.user_api_key_alias": "tok_abc"},
     {"metadata.user_api_key_auth_metadata": "{'callboard_token': 'tok_abc'}"}],
)  # fmt: skip
def test_the_token_is_found_where_the_proxy_knows_it(attributes: dict[str, str]) -> None:
    call = call_of({**SPAN, **attributes})
    assert (call.token, call.member) == ("tok_abc", "")


def test_an_attempt_that_failed_has_the_status_and_the_message_of_the_proxy() -> None:
    failed: dict[str, Any] = {
        "error.code": "400",
        "http.response.status_code": 400,
        "error.type": "litellm.proxy._types.ProxyException",
        "error.message": "litellm.ContextWindowExceededError",
    }
    call = call_of({**SPAN, **failed})
    assert (call.status, call.error_code, call.error_message) == (
        400,
        "400",
        "litellm.ContextWindowExceededError",
    )


def test_a_client_that_went_away_has_a_state_of_its_own() -> None:
    call = call_of({**SPAN, "http.response.status_code": 200, "error.type": "ConnectionError"})
    assert (call.status, call.cost_nanos) == (499, 74_500)


def test_a_time_out_of_the_provider_is_no_fault_of_the_caller() -> None:
    call = call_of({**SPAN, "http.response.status_code": 408, "error.type": "litellm.Timeout"})
    assert (call.status, call.error_type) == (500, "litellm.Timeout")


def test_the_deployment_is_the_channel_as_in_litellms_own_callback() -> None:
    assert call_of({**SPAN, "hidden_params": '{"model_id": "deployment-7"}'}).channel == "deployment-7"


def test_an_answer_from_the_cache_cost_nothing() -> None:
    without_cost = {name: value for name, value in SPAN.items() if name != "gen_ai.cost.total_cost"}
    hit = '{"cache_key": "2355426a", "response_cost": 0.0, "model_id": "deployment-7"}'
    assert call_of({**without_cost, "hidden_params": hit}).cost_nanos == 0
    miss = '{"cache_key": null, "response_cost": 0.0}'
    assert call_of({**without_cost, "hidden_params": miss}).cost_nanos is None


def test_provider_and_model_of_the_deployment_are_told_together() -> None:
    """As of Anthropic's messages, whose spans leave the provider out, and of failures, to which nothing answered."""
    left_out: dict[str, Any] = {"gen_ai.system": "", "gen_ai.response.model": ""}
    call = call_of({**SPAN, **left_out, "litellm.provider.model": "anthropic/claude-haiku-4-5"})
    assert (call.model, call.response_model, call.provider) == ("assistant", "claude-haiku-4-5", "anthropic")
