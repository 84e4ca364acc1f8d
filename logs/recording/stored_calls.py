"""Compares stored calls with new reports: whether both are the same call, and which values change."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from logs.formats.identity import LITELLM, Identity
from logs.formats.reported import ReportedCall
from logs.formats.statuses import CLIENT_DISCONNECTED
from logs.models import Call
from logs.recording.amend import FIXED, Amendment
from logs.recording.columns import AS_REPORTED, outcome_of, reported_again
from logs.recording.layers import (
    CLOCKS_DIFFER,
    MILLISECOND,
    SAME_CLOCK,
    UNIQUE_CHARACTERS,
    Layer,
    agree,
    enclose,
    start_together,
)
from usage.prices.models import PricedBy
from usage.prices.price_list import Priced
from usage.rollups.models import Outcome

Pricing = Callable[[Sequence[ReportedCall]], Sequence[Priced]]


def format_of(call: Call) -> str:
    return (
        "OpenTelemetry"
        if "trace_id" in call.metadata
        else LITELLM
        if "litellm_model" in call.metadata
        else "API"
    )


def is_same_format(call: Call, layer: Layer) -> bool:
    return ("trace_id" in call.metadata) == bool(layer.identity.trace_id)


def is_same_of_gateway(call: Call, layer: Layer) -> bool:
    """Whether a stored call with LiteLLM's id is the call of this report.

    Start (± 1 ms) and success or failure must match. For two reports of a failed attempt in the same format,
    status and deployment must match as well.
    """
    failed = call.outcome != Outcome.SUCCEEDED and call.status != CLIENT_DISCONNECTED
    if failed != layer.call.failed or abs(call.started_at - layer.call.started_at) > MILLISECOND:
        return False
    if not failed or not is_same_format(call, layer):
        return True
    deployment = layer.identity.deployment
    return call.status == layer.call.status and (not deployment or call.channel == layer.call.channel)


def was_stored(call: Call, layer: Layer) -> bool:
    """Whether a stored call with one of this report's ids is the same call, judged by the stored values alone.

    For calls whose layers are no longer stored. Compares failure, tokens, models and times.
    """
    told = Layer(reported_again(call), Identity("", ""), layer.context, call.received_at)
    if told.call.failed != layer.call.failed or not agree(told.usage, layer.usage):
        return False
    if told.models & layer.models and start_together(told, layer):
        return True
    if call.metadata.get("trace_id") == layer.identity.trace_id:
        return enclose(told, layer, SAME_CLOCK)
    return len(layer.identity.response_id) >= UNIQUE_CHARACTERS and enclose(told, layer, CLOCKS_DIFFER)


def amendments_of(pairs: Sequence[tuple[Call, ReportedCall]], price: Pricing) -> list[Amendment]:
    """Returns the amendments that change each stored call into the given merged report of it.

    Calls without a difference are left out. The price is computed again if a value that it depends on changed.
    """
    changes = [(call, now, _changes(call, now)) for call, now in pairs]
    dear = [(call, now, values) for call, now, values in changes if _changes_price(call, now, values)]
    for (_call, _now, values), priced in zip(dear, price([now for _call, now, _values in dear]), strict=True):
        values |= {"cost_nanos": priced.cost_nanos, "priced_by": priced.by.value}
    return [Amendment(call, values) for call, _now, values in changes if values]


def _changes(call: Call, now: ReportedCall) -> dict[str, Any]:
    said = {name: getattr(now, name) for name in AS_REPORTED if name not in FIXED}
    said["outcome"] = outcome_of(now).value
    return {name: value for name, value in said.items() if value != getattr(call, name)}


_PRICED_BY: Final = frozenset(
    {
        *("model", "provider", "status", "outcome"),
        *("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens"),
    }
)
_NOT_PRICED: Final = frozenset({"layers", "corrections"})


def _changes_price(call: Call, now: ReportedCall, values: dict[str, Any]) -> bool:
    reported = call.cost_nanos if call.priced_by == PricedBy.REPORT else None
    if now.cost_nanos is not None or reported is not None:
        return now.cost_nanos != reported
    details = [
        {name: value for name, value in (one or {}).items() if name not in _NOT_PRICED}
        for one in (call.details, now.details)
    ]
    return details[0] != details[1] or bool(_PRICED_BY & values.keys())
