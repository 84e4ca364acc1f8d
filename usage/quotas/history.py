"""Computes how much a quota level used in past periods, which stay visible after the reset."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from usage.quotas.daily import DayUse
from usage.quotas.models import Period
from usage.quotas.periods import PeriodDays, span_at, span_before

MOST_PERIODS = 6


@dataclass(frozen=True)
class PastPeriod:
    """A past period of a quota, and its use and calls."""

    span: PeriodDays
    used_nanos: int
    calls: int


def past_since(period: Period, zone: ZoneInfo, now: datetime) -> date | None:
    """Returns the first day whose use `past_periods` needs; None if the period never ends."""
    spans = _spans(period, zone, now)
    return spans[-1].first if spans else None


def past_periods(period: Period, zone: ZoneInfo, days: Sequence[DayUse], now: datetime) -> list[PastPeriod]:
    """Returns up to MOST_PERIODS past periods of a quota level, newest first. Empty periods before the first
    use are left out.

    `zone` is the time zone of the level's team, and `days` its use by day since `past_since`.
    """
    past = [_past(span, days) for span in _spans(period, zone, now)]
    while past and not past[-1].calls:
        past.pop()
    return past


def _past(span: PeriodDays, days: Iterable[DayUse]) -> PastPeriod:
    assert span.first is not None
    assert span.end is not None
    within = [one for one in days if span.first <= one.day < span.end]
    return PastPeriod(span, sum(one.used_nanos for one in within), sum(one.calls for one in within))


def _spans(period: Period, zone: ZoneInfo, now: datetime) -> list[PeriodDays]:
    spans: list[PeriodDays] = []
    span = span_before(period, span_at(period, now, zone))
    while span is not None and len(spans) < MOST_PERIODS:
        spans.append(span)
        span = span_before(period, span)
    return spans
