"""Defines how the demo's calls fail: statuses, error types and messages in the style of providers and networks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Failure:
    """One kind of failure. `lasts` is its range of latency in ms; None: as long as the call would have taken.

    `share` is its weight among the failures of an ordinary day. Status 200 means a broken stream.
    """

    status: int
    type: str
    code: str
    message: str
    share: float
    lasts: tuple[int, int] | None = (40, 600)


FAILURES = (
    Failure(
        429,
        "rate_limit_error",
        "rate_limit_exceeded",
        "Rate limit reached for {model} on tokens per min (TPM): Limit 450000, Used {used}, "
        "Requested {tokens}. Please try again in {wait}ms.",
        26,
    ),
    Failure(529, "overloaded_error", "overloaded", "Overloaded", 9, (200, 4000)),
    Failure(
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in "
        "{long} tokens. Please reduce the length of the messages.",
        11,
    ),
    Failure(
        400,
        "invalid_request_error",
        "invalid_value",
        "Invalid value for 'temperature': expected a number between 0 and 2, but got {number} instead.",
        7,
    ),
    Failure(
        400,
        "invalid_request_error",
        "content_filter",
        "The response was filtered due to the prompt triggering the content management policy.",
        6,
        (150, 2500),
    ),
    Failure(401, "authentication_error", "invalid_api_key", "Incorrect API key provided.", 4),
    Failure(
        403,
        "permission_error",
        "permission_denied",
        "Your key has no permission to use {model} in this region.",
        2,
    ),
    Failure(
        404,
        "not_found_error",
        "model_not_found",
        "The model `{model}-preview` does not exist or you do not have access to it.",
        3,
    ),
    Failure(
        408,
        "timeout_error",
        "request_timeout",
        "The client gave up waiting for an answer.",
        3,
        (29_900, 30_100),
    ),
    Failure(
        500,
        "api_error",
        "internal_error",
        "The server had an error while processing your request. Sorry about that! "
        "(request ID req_{number:08x})",
        9,
        (300, 9000),
    ),
    Failure(502, "api_error", "bad_gateway", "upstream connect error or disconnect/reset before headers", 4),
    Failure(
        503, "api_error", "unavailable", "No healthy deployment for {model}; all are cooling down.", 5, (5, 60)
    ),
    Failure(504, "timeout_error", "gateway_timeout", "Gateway timeout after 60 seconds", 5, (59_900, 60_200)),
    Failure(200, "stream_error", "stream_interrupted", "The stream ended before the final event.", 6, None),
)
RATE_LIMITED, OVERLOADED, UNAVAILABLE = 0, 1, 11


def choose_failures(rng: np.random.Generator, size: int) -> NDArray[np.int64]:
    """Chooses `size` ordinary failures at random; returns their indexes in FAILURES."""
    shares = np.array([failure.share for failure in FAILURES])
    return rng.choice(len(FAILURES), size=size, p=shares / shares.sum())


def message_of(failure: Failure, model: str, tokens: int, number: int) -> str:
    """Returns the error message of one call; `number` (0 to 2^31) varies its details from call to call."""
    return failure.message.format(
        model=model,
        tokens=tokens,
        number=number,
        used=450_000 - number % 2_000,
        wait=number % 1_900 + 100,
        long=128_000 + number % 90_000,
    )
