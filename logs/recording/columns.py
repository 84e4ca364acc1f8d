"""The columns of the table of calls, and which of them are copied from the report unchanged."""

from dataclasses import fields
from typing import Any, Final

from logs.formats.reported import DETAILS, ReportedCall
from logs.models import Call
from usage.prices.models import PricedBy
from usage.rollups.models import Outcome

AS_REPORTED: Final = (
    "request_id",
    "started_at",
    "model",
    "provider",
    "endpoint",
    "channel",
    "status",
    "stream",
    "latency_ms",
    "ttft_ms",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "error_type",
    "error_code",
    "error_message",
    "ip",
    "user_agent",
    "session_id",
    "tags",
    "metadata",
    "details",
)
COLUMNS: Final = (
    "team_id",
    "id",
    "mode",
    "received_at",
    "member_id",
    "token_id",
    "gateway_key_id",
    "payer_id",
    "outcome",
    "cost_nanos",
    "priced_by",
    *AS_REPORTED,
)
_FIELDS: Final = {one.name for one in fields(ReportedCall)}


def outcome_of(call: ReportedCall) -> Outcome:
    """Returns the outcome of a reported call by its status.

    Status 429 is throttled, other 4xx are client errors, 5xx server errors. A status below 400 is a success, or
    a server error if the record has an `error`.
    """
    if call.status < 400:
        return Outcome.SERVER_ERROR if call.has_error else Outcome.SUCCEEDED
    if call.status == 429:
        return Outcome.THROTTLED
    return Outcome.CLIENT_ERROR if call.status < 500 else Outcome.SERVER_ERROR


def reported_again(call: Call) -> ReportedCall:
    """Converts a stored call back to a `ReportedCall`, as if it were reported now.

    `cost_nanos` is set only if the sender reported the cost; a computed cost is left out.
    """
    values: dict[str, Any] = {name: getattr(call, name) for name in AS_REPORTED if name in _FIELDS}
    details = {name: value for name, value in (call.details or {}).items() if name in DETAILS}
    return ReportedCall(
        **values | details,
        cost_nanos=call.cost_nanos if call.priced_by == PricedBy.REPORT else None,
        has_error=call.outcome != Outcome.SUCCEEDED,
    )
