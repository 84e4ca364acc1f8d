from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.anomalies.series import TUESDAY_14, office
from usage.anomalies.detectors.common import incidents
from usage.anomalies.detectors.latency import find_slow

EDGES = np.array([100, 200, 500, 1000, 2000, 5000, 10_000, 30_000], float)
USUAL = np.array([1, 4, 25, 35, 25, 8, 1.5, 0.5, 0]) / 100  # 5 s is slow: 2 % of the calls, 2 s: 10 %
SLOW = np.array([0, 1, 4, 25, 35, 25, 8, 1.5, 0.5]) / 100  # one bucket later


def histogram(calls: Any, shares: Any = USUAL, seed: int = 3) -> Any:
    rng = np.random.default_rng(seed)
    return np.stack([rng.multinomial(int(n), shares) for n in calls]).astype(float)


def test_two_hours_of_slow_calls_are_found_with_the_edge_that_shows_them() -> None:
    calls = office()
    counts = histogram(calls)
    counts[TUESDAY_14 : TUESDAY_14 + 2] = histogram(calls[TUESDAY_14 : TUESDAY_14 + 2], SLOW)
    scores = find_slow(counts)
    found = incidents(scores.score)
    assert len(found) == 1
    assert found[0].start == TUESDAY_14
    at = found[0].peak
    edge = scores.edge[at]
    assert scores.rate.usual[at] == pytest.approx(USUAL[edge + 1 :].sum(), rel=0.2)
    assert scores.rate.found[at] / scores.rate.calls[at] > scores.rate.usual[at] + 0.05


def test_the_usual_latency_raises_no_alarm() -> None:
    assert incidents(find_slow(histogram(office())).score) == []


def test_faster_calls_raise_no_alarm() -> None:
    calls = office()
    counts = histogram(calls)
    counts[TUESDAY_14:] = histogram(calls[TUESDAY_14:], USUAL[[1, 2, 3, 4, 5, 6, 7, 8, 0]])
    assert incidents(find_slow(counts).score) == []


def test_three_slow_calls_at_night_are_no_alarm() -> None:
    counts = histogram(office())
    counts[TUESDAY_14 - 12] = [0, 0, 0, 0, 0, 0, 0, 0, 3]
    assert incidents(find_slow(counts).score) == []


@pytest.mark.parametrize("count", [0, 1, 30, 500])
def test_no_calls_say_nothing(count: int) -> None:
    assert not find_slow(np.zeros((count, 9))).score.any()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 400), busy=st.sampled_from([1, 60]))
def test_the_future_never_changes_the_scores_of_the_past(seed: int, cut: int, busy: Any) -> None:
    counts = histogram(office(busy, seed, 420), USUAL, seed)
    before = find_slow(counts)
    counts[cut:] = counts[cut:, ::-1] * 5
    after = find_slow(counts)
    assert np.isfinite(after.score).all()
    assert not after.score[:72].any()
    np.testing.assert_array_equal(before.score[:cut], after.score[:cut])
    np.testing.assert_array_equal(before.edge[:cut], after.edge[:cut])
