from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.anomalies.series import TUESDAY_14, office
from usage.anomalies.detectors.common import incidents
from usage.anomalies.detectors.rates import find_rates


def failing(calls: Any, share: float = 0.02, seed: int = 2) -> Any:
    return np.random.default_rng(seed).binomial(calls.astype(int), share).astype(float)


def test_an_hour_in_which_a_third_of_the_calls_fail_is_found() -> None:
    calls = office()
    errors = failing(calls)
    errors[TUESDAY_14] = calls[TUESDAY_14] // 3
    scores = find_rates(errors, calls)
    assert [incident.peak for incident in incidents(scores.score)] == [TUESDAY_14]
    assert scores.usual[TUESDAY_14] == pytest.approx(0.02, abs=0.01)
    assert scores.calls[TUESDAY_14] == calls[TUESDAY_14]


def test_the_usual_failures_raise_no_alarm() -> None:
    calls = office()
    assert incidents(find_rates(failing(calls), calls).score) == []


def test_two_of_three_calls_that_fail_are_no_alarm() -> None:
    calls, errors = office(), failing(office())
    calls[TUESDAY_14], errors[TUESDAY_14] = 3, 2
    assert find_rates(errors, calls).score[TUESDAY_14] < 1


def test_nothing_is_said_before_three_days_and_two_hundred_calls() -> None:
    calls = np.full(200, 2.0)
    errors = np.where(np.arange(200) % 50 == 49, 2.0, 0.0)
    assert not find_rates(errors, calls).score[:100].any()
    assert not find_rates(np.full(71, 50.0), np.full(71, 100.0)).score.any()


@pytest.mark.parametrize("count", [0, 1, 30, 500])
def test_no_calls_say_nothing(count: int) -> None:
    assert not find_rates(np.zeros(count), np.zeros(count)).score.any()


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 500), busy=st.sampled_from([1, 30, 5000]))
def test_the_future_never_changes_the_scores_of_the_past(seed: int, cut: int, busy: Any) -> None:
    calls = office(busy, seed, 520)
    errors = failing(calls, 0.1, seed)
    before = find_rates(errors, calls)
    errors[cut:], calls[cut:] = 7 * busy, 9 * busy
    after = find_rates(errors, calls)
    assert np.isfinite(after.score).all()
    for name in ("score", "spans", "usual", "found", "calls"):
        np.testing.assert_array_equal(getattr(before, name)[:cut], getattr(after, name)[:cut])
