from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.anomalies.series import EIGHT_WEEKS, TUESDAY_2, TUESDAY_14, hours, office
from usage.anomalies.detectors.common import Incident
from usage.anomalies.detectors.periods import RULES, PeriodScores, find_periods, period_incidents


def alarms(x: Any, **options: Any) -> tuple[PeriodScores, list[Incident]]:
    scores = find_periods(hours(len(x)), x, **options)
    return scores, period_incidents(scores)


def rules(scores: Any, start: Any, end: Any) -> set[Any]:
    return {RULES[scores.rule[t]] for t in range(start, end) if scores.score[t] >= 1}


def test_a_calm_team_raises_no_alarm() -> None:
    assert alarms(office())[1] == []


def test_one_hour_of_ten_times_the_usual_is_found_by_rule_a() -> None:
    x = office()
    x[TUESDAY_14] = 2000
    scores, found = alarms(x)
    assert [incident.peak for incident in found] == [TUESDAY_14]
    assert RULES[scores.rule[TUESDAY_14]] == "A"
    assert scores.found[TUESDAY_14] == 2000
    assert scores.expected[TUESDAY_14] == pytest.approx(200, rel=0.2)


def test_some_hours_of_a_script_at_night_are_found_by_rule_b() -> None:
    x = office()
    x[TUESDAY_2 : TUESDAY_2 + 4] += 120
    scores, found = alarms(x)
    assert len(found) == 1
    assert "B" in rules(scores, TUESDAY_2, TUESDAY_2 + 6)


def test_silence_in_working_hours_is_found_by_rule_d() -> None:
    x = office()
    x[TUESDAY_14 - 3 : TUESDAY_14 + 2] = 0
    scores, found = alarms(x)
    assert [(incident.start, incident.end) for incident in found] == [(TUESDAY_14 - 3, TUESDAY_14 + 2)]
    assert "D" in rules(scores, TUESDAY_14 - 3, TUESDAY_14 + 2)
    assert scores.found[found[0].peak] == 0


def test_a_silence_that_alarms_twice_is_one_incident() -> None:
    count = 30
    score, rule = np.zeros(count), np.zeros(count, dtype=np.int8)
    score[[4, 14]], rule[3:16] = [1.2, 1.5], RULES.index("D")
    zeros = np.zeros(count)
    scores = PeriodScores(score, rule, usual=zeros, values=zeros, found=zeros, expected=zeros)
    assert period_incidents(scores) == [Incident(2, 16, 14)]


def test_growth_day_by_day_is_found_by_rule_y() -> None:
    x = office()
    begin = 7 * 168
    x[begin:] *= 1.15 ** ((np.arange(EIGHT_WEEKS - begin)) / 24)
    scores, found = alarms(x)
    assert found
    assert "Y" in rules(scores, begin, EIGHT_WEEKS)


def test_silence_at_night_is_nothing_unusual() -> None:
    x = office()
    x[TUESDAY_2 : TUESDAY_2 + 4] = 0
    assert alarms(x)[1] == []


def test_a_few_calls_more_interest_nobody() -> None:
    x = office(busy=2.0)
    x[TUESDAY_14] = 20
    assert alarms(x)[1] == []


def test_tokens_and_cost_alarm_where_calls_do_whatever_their_unit() -> None:
    x = office()
    x[TUESDAY_14] = 2000
    plain, scaled = find_periods(hours(), x), find_periods(hours(), 5e6 * x, calls=x)
    assert np.allclose(plain.score, scaled.score)
    assert np.allclose(5e6 * plain.usual[24:], scaled.usual[24:])


def test_hours_before_the_first_call_are_no_history() -> None:
    x = office()
    late = np.concatenate([np.zeros(168), x[:-168]])
    assert np.allclose(find_periods(hours(), late).score[168:], find_periods(hours(), x).score[:-168])


@pytest.mark.parametrize("count", [0, 1, 23, 24, 25, 170, 400])
def test_a_series_without_calls_says_nothing_however_long(count: int) -> None:
    scores = find_periods(hours(count), np.zeros(count))
    assert scores.score.tolist() == [0.0] * count
    assert set(scores.rule.tolist()) <= {0}


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    cut=st.integers(1, 700),
    factor=st.sampled_from([0, 1, 50]),
    busy=st.sampled_from([1, 40, 900]),
)
def test_the_future_never_changes_the_scores_of_the_past(seed: int, cut: int, factor: Any, busy: Any) -> None:
    x = office(busy, seed, 720)
    changed = x.copy()
    changed[cut:] = factor * changed[cut:][::-1]
    before, after = find_periods(hours(720), x), find_periods(hours(720), changed)
    for name in ("score", "rule", "found", "expected", "usual"):
        np.testing.assert_array_equal(getattr(before, name)[:cut], getattr(after, name)[:cut])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([0, 0, 0, 1, 7, 400, 10**7]), min_size=1, max_size=800), st.integers(0, 2))
def test_scores_are_numbers_and_silent_on_the_first_day(pattern: Any, repeat: Any) -> None:
    x = np.array(pattern * (repeat + 1), float)
    scores = find_periods(hours(len(x)), x)
    assert np.isfinite(scores.score).all()
    assert (scores.score >= 0).all()
    assert not scores.score[: int(np.argmax(x > 0)) + 24].any() or not x.any()
    alarm = scores.score > 0
    assert np.isfinite(scores.found[alarm]).all()
    assert np.isfinite(scores.expected[alarm]).all()
