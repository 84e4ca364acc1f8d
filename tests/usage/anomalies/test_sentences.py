from typing import Any

import numpy as np
import pytest

from tests.usage.anomalies.series import EIGHT_WEEKS, TUESDAY_14, hours
from usage.anomalies.detectors.common import Incident
from usage.anomalies.detectors.latency import LatencyScores
from usage.anomalies.detectors.members import MemberScores
from usage.anomalies.detectors.periods import RULES, PeriodScores
from usage.anomalies.detectors.rates import RateScores
from usage.anomalies.drivers import Driver
from usage.anomalies.sentences import (
    CALLS,
    COST,
    TOKENS,
    Unit,
    drivers_sentence,
    latency_sentence,
    member_sentence,
    period_sentence,
    rate_sentence,
)

AT = TUESDAY_14
PEAK = Incident(AT, AT + 1, AT)


def said(
    rule: Any,
    found: Any,
    expected: Any,
    unit: Unit = CALLS,
    count: int = EIGHT_WEEKS,
    values: Any = None,
    usual: Any = None,
    peak: Incident = PEAK,
) -> str:
    zeros = np.zeros(count)

    def full(number: float) -> Any:
        return np.full(count, float(number))

    marks = zeros.astype(np.int8)
    marks[peak.start : peak.end] = RULES.index(rule)
    return period_sentence(
        PeriodScores(
            score=zeros,
            rule=marks,
            usual=zeros if usual is None else usual,
            values=zeros if values is None else values,
            found=full(found),
            expected=full(expected),
        ),
        hours(count),
        peak,
        unit,
    )


def test_a_spike_tells_its_hour_its_number_and_how_many_times_the_usual() -> None:
    assert said("A", 11_700, 2312.4) == "14:00 Tue: 11,700 calls, 5.1× the usual 2,310 for this hour."


def test_a_spike_where_nothing_is_usual_gives_no_ratio() -> None:
    assert said("A", 120, 0.2) == "14:00 Tue: 120 calls, usually 0."


def test_some_hours_tell_from_when_to_when() -> None:
    assert said("B", 1240, 30.3) == "11:00–15:00 Tue: 1,240 calls, usually 30."


def test_silence_tells_since_when_while_it_lasts() -> None:
    usual = np.zeros(AT + 1)
    usual[AT - 4 :] = 900
    peak = Incident(AT - 3, AT + 1, AT)
    assert (
        said("D", 0, 1800, count=AT + 1, usual=usual, peak=peak)
        == "No calls since 10:00, usually 4,500 by now."
    )


def test_silence_that_is_over_tells_from_when_to_when() -> None:
    usual, values = np.zeros(EIGHT_WEEKS), np.zeros(EIGHT_WEEKS)
    usual[AT - 4 : AT + 1] = 900
    peak = Incident(AT - 3, AT + 1, AT)
    assert said("D", 0, 1800, usual=usual, peak=peak) == "No calls 10:00–15:00 Tue, usually 4,500."
    values[AT] = 12
    assert (
        said("D", 12, 1800, usual=usual, values=values, peak=peak)
        == "10:00–15:00 Tue: only 12 calls, usually 4,500."
    )


def test_growth_tells_the_day() -> None:
    assert said("Y", 61_000, 33_900) == "24 h up to 15:00 Tue: 61,000 calls, 1.8× the usual 33,900."
    assert said("Y", 61_000, 33_900, count=AT + 1) == "Last 24 h: 61,000 calls, 1.8× the usual 33,900."


def test_cost_and_tokens_are_written_in_their_own_unit() -> None:
    assert said("A", 12.5e9, 2.5e9, COST) == "14:00 Tue: $12.50, 5.0× the usual $2.50 for this hour."
    assert said("A", 12.5e9, 1e6, COST) == "14:00 Tue: $12.50, usually $0.00."
    assert said("B", 1_250_000, 81_234, TOKENS) == "11:00–15:00 Tue: 1,250,000 tokens, usually 81,200."


def rate(found: Any, calls: Any, usual: Any, span: int = 1) -> RateScores:
    ones = np.ones(EIGHT_WEEKS)
    return RateScores(ones, (ones * span).astype(np.int64), ones * usual, ones * found, ones * calls)


def test_failures_tell_their_share_and_the_usual_one() -> None:
    assert (
        rate_sentence(rate(74, 240, 0.02), hours(), PEAK) == "14:00 Tue: 31% of 240 calls failed (usually 2%)."
    )
    assert (
        rate_sentence(rate(290, 1240, 0.0161, 4), hours(), PEAK)
        == "11:00–15:00 Tue: 23% of 1,240 calls failed (usually 1.6%)."
    )


@pytest.mark.parametrize(("edge", "text"), [(0, "300 ms"), (1, "5 s"), (2, "7.5 s")])
def test_slowness_tells_the_edge_in_words(edge: int, text: str) -> None:
    slow = LatencyScores(rate(24, 100, 0.05), np.full(EIGHT_WEEKS, edge))
    sentence = latency_sentence(slow, hours(), PEAK, np.array([300.0, 5000.0, 7500.0]))
    assert sentence == f"14:00 Tue: 24% of calls took longer than {text} (usually 5%)."


def member(found: Any, expected: Any, clock: bool = False, new: bool = False) -> MemberScores:
    cell = np.ones((1, 1))
    return MemberScores(cell, cell * clock == 1, cell * found, cell * expected, cell * new == 1)


def test_a_member_is_told_by_time_of_day_by_own_day_or_by_the_peers() -> None:
    only = Incident(0, 1, 0)

    def told(scores: Any) -> str:
        return member_sentence(scores, 0, "ana", only)

    assert (
        told(member(9400, 599.2, clock=True))
        == "ana: 9,400 calls in 6 h, usually below 600 at this time of day."
    )
    assert told(member(9400, 2000)) == "ana: 9,400 calls in 24 h, 4.7× their own busy day."
    assert (
        told(member(5100, 1645, new=True)) == "ana (new member): 5,100 calls in 24 h, 3.1× a busy member's day."
    )
    assert told(member(5100, 0)) == "ana: 5,100 calls in 24 h, usually almost none."


def test_drivers_are_named_with_their_shares_or_said_to_be_spread() -> None:
    drivers = [Driver(1, 620, 0.62), Driver(0, 210, 0.21)]
    assert drivers_sentence(drivers, ["ben", "ana"], "all members") == "ana 62%, ben 21%"
    assert drivers_sentence([Driver(0, 5, 1.2)], ["ana"], "all members") == "ana 100%"
    assert drivers_sentence([], ["ana"], "all members") == "spread over all members"
