"""Converts a stored call to the `Fact` that the rollups add up."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from logs.models import Call
from usage.prices.models import PricedBy
from usage.rollups.buckets import day_of, hour_of
from usage.rollups.folding import Fact


class LocalTimes:
    """Converts an instant to (start of its hour, day) in a time zone.

    Results are cached by the minute; UTC offsets change on whole minutes.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[datetime, tuple[datetime, date]] = {}

    def __call__(self, at: datetime) -> tuple[datetime, date]:
        minute = at.astimezone(UTC).replace(second=0, microsecond=0)
        if minute not in self._known:
            self._known[minute] = (hour_of(minute, self._zone), day_of(minute, self._zone))
        return self._known[minute]


def fact_of(call: Call, local: LocalTimes) -> Fact:
    """Returns the values of a stored call that the rollups add up.

    Hour and day are in the time zone of `local`.
    """
    hour, day = local(call.started_at)
    return Fact(
        hour=hour,
        day=day,
        member_id=call.member_id,
        token_id=call.token_id,
        model=call.model,
        outcome=call.outcome,
        unpriced=int(call.priced_by == PricedBy.NOTHING),
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        cached_tokens=call.cached_tokens,
        cache_write_tokens=call.cache_write_tokens,
        reasoning_tokens=call.reasoning_tokens,
        cost_nanos=call.cost_nanos,
        latency_ms=-1 if call.latency_ms is None else call.latency_ms,
        ttft_ms=-1 if call.ttft_ms is None else call.ttft_ms,
    )
