"""Spans in the words of a dialect, as the receiver reads them."""

from typing import Any

from logs.formats.reported import ReportedCall
from tests.logs.formats.test_otlp import calls, span


def call_of(attributes: dict[str, Any], **fields: Any) -> ReportedCall:
    """The one call of a span with exactly these attributes."""
    [one] = calls(span(attributes, **fields))
    return one


def tokens_of(call: ReportedCall) -> tuple[int, int, int, int, int]:
    """Input, output, cached, written and reasoning tokens."""
    return (
        call.input_tokens,
        call.output_tokens,
        call.cached_tokens,
        call.cache_write_tokens,
        call.reasoning_tokens,
    )
