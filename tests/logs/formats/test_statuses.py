"""The status of a failure: one table for LiteLLM and for traces."""

from typing import Any

import pytest

from logs.formats.statuses import failure_status, gateway_status, known_status


@pytest.mark.parametrize(
    ("hint", "status"),
    [
        (429, 429), ("429", 429), (" 503 ", 503), ("400_INVALID_REQUEST", 400), ("429_BUDGET_EXCEEDED", 429),
        ("408_UPSTREAM_TIMEOUT", 500), ("503_SOMETHING_NEW", 503), ("context_length_exceeded", 400),
        ("invalid_api_key", 401), ("insufficient_quota", 429), ("rate_limit_exceeded", 429), ("model_not_found", 404),
        ("BadRequestError", 400), ("ContextWindowExceededError", 400), ("ContentPolicyViolationError", 400),
        ("AuthenticationError", 401), ("PermissionDeniedError", 403), ("NotFoundError", 404),
        ("UnprocessableEntityError", 422), ("litellm.RateLimitError", 429), ("BudgetExceededError", 429),
        ("ServiceUnavailableError", 503), ("BadGatewayError", 502), ("InternalServerError", 500),
        ("APIConnectionError", 500), ("Timeout", 500), ("openai.APITimeoutError", 500), ("timeout", 500),
        ("asyncio.exceptions.CancelledError", 499), ("ClientDisconnected", 499), ("499", 499),
        ("starlette.requests.ClientDisconnect", 499), ("ThrottlingException", 429), ("overloaded_error", 529),
        ("java.net.SocketTimeoutException", None), ("x", None), ("", None), (None, None), ("200", None), (200, None),
        ("1000", None), ("٤٢٩", None), ("4.5", None), (4.5, None), (True, None), ([429], None), ("9" * 10_000, None),
    ],
)  # fmt: skip
def test_what_an_error_is_called_tells_its_status(hint: Any, status: int | None) -> None:
    assert known_status(hint) == status


def test_the_first_hint_that_tells_a_status_counts() -> None:
    assert failure_status("x", "400_INVALID_REQUEST", "RateLimitError") == 400
    assert failure_status("context_length_exceeded", "InternalServerError") == 400
    assert failure_status("", None, "SomeError") == 500


def test_a_gateways_408_is_a_time_out_of_the_provider() -> None:
    assert failure_status("408") == 408
    assert gateway_status("408", "Timeout") == 500
