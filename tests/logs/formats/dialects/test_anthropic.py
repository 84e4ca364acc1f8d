"""The spans of Anthropic's own SDK."""

from typing import Any

import pytest

from tests.logs.formats.dialects.spans import call_of, tokens_of

MESSAGE: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
    "gen_ai.usage.input_tokens": 130_213,
    "gen_ai.usage.output_tokens": 500,
    "gen_ai.usage.cache_read.input_tokens": 128_955,
    "gen_ai.usage.cache_write.input_tokens": 1_253,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 1_000,
    "anthropic.response.service_tier": "standard",
}


def test_cache_writes_have_a_name_of_their_own_and_a_part_that_is_kept_for_an_hour() -> None:
    call = call_of(MESSAGE, name="anthropic.messages.create")
    assert tokens_of(call) == (130_213, 500, 128_955, 1_253, 0)
    assert (call.cache_write_1h_tokens, call.service_tier, call.corrections) == (1_000, "", [])


@pytest.mark.parametrize(
    ("error_type", "status"),
    [("rate_limit_error", 429), ("overloaded_error", 529), ("invalid_request_error", 400),
     ("authentication_error", 401), ("permission_error", 403), ("not_found_error", 404), ("request_too_large", 413),
     ("api_error", 500), ("client_timeout_error", 500), ("connection_error", 500), ("client_error", 500)],
)  # fmt: skip
def test_an_error_has_the_status_that_anthropics_api_gives_it(error_type: str, status: int) -> None:
    assert call_of({**MESSAGE, "error.type": error_type}).status == status
