"""What a level used in periods that are over: they stay visible after the reset."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q

from usage.levels import LevelKey
from usage.models import Period, QuotaUse
from usage.periods import Span, span_at, span_before


@dataclass(frozen=True)
class PastPeriod:
    """One period that is over, and what was used in it."""

    span: Span
    used_nanos: int
    calls: int


class Asked(NamedTuple):
    """A level, and the periods on the calendar of its team into which its past is cut."""

    key: LevelKey
    period: Period
    zone: ZoneInfo


def past_periods(asked: Sequence[Asked], now: datetime, most: int = 6) -> list[list[PastPeriod]]:
    """Of each level the last periods before the one that runs, newest first, from the first with calls on.

    One query for all of them.
    """
    spans = [_spans(one.period, one.zone, now, most) for one in asked]
    wanted = Q(pk__in=[])
    for one, of_level in zip(asked, spans, strict=True):
        if of_level:
            key = {**one.key._asdict(), "day__gte": of_level[-1].first, "day__lt": of_level[0].end}
            wanted |= Q(**key)
    days: defaultdict[LevelKey, list[tuple[date, int, int]]] = defaultdict(list)
    rows = QuotaUse.objects.filter(wanted).values_list(*LevelKey._fields, "day", "used_nanos", "calls")
    for *key, day, used, calls in rows:
        days[LevelKey(*key)].append((day, used, calls))
    return [_past(of_level, days[one.key]) for one, of_level in zip(asked, spans, strict=True)]


def _past(spans: Sequence[Span], days: Sequence[tuple[date, int, int]]) -> list[PastPeriod]:
    past = []
    for span in spans:
        assert span.first is not None
        assert span.end is not None
        within = [(used, calls) for day, used, calls in days if span.first <= day < span.end]
        past.append(PastPeriod(span, sum(used for used, _ in within), sum(calls for _, calls in within)))
    while past and not past[-1].calls:
        past.pop()
    return past


def _spans(period: Period, zone: ZoneInfo, now: datetime, most: int) -> list[Span]:
    spans: list[Span] = []
    span = span_before(period, span_at(period, now, zone))
    while span is not None and len(spans) < most:
        spans.append(span)
        span = span_before(period, span)
    return spans
