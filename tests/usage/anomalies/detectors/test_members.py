from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.anomalies.series import EIGHT_WEEKS, TUESDAY_2, TUESDAY_14, office
from usage.anomalies.detectors.common import incidents
from usage.anomalies.detectors.members import find_members


def team(members: int = 6, busy: float = 30.0, count: int = EIGHT_WEEKS) -> Any:
    return np.stack([office(busy, seed, count) for seed in range(members)], axis=1)


def alarmed(scores: Any) -> set[Any]:
    return {column for column in range(scores.score.shape[1]) if incidents(scores.score[:, column])}


def test_a_calm_team_has_no_unusual_member() -> None:
    assert alarmed(find_members(team())) == set()


def test_a_member_who_makes_a_whole_teams_calls_is_found_within_hours() -> None:
    counts = team()
    counts[TUESDAY_2 : TUESDAY_2 + 6, 2] += 300
    scores = find_members(counts)
    assert alarmed(scores) == {2}
    assert np.argmax(scores.score[:, 2] >= 1) < TUESDAY_2 + 3
    assert scores.clock[TUESDAY_2 + 5, 2], "the time of day makes it stand out"


def test_a_new_member_is_compared_with_busy_peers() -> None:
    counts = np.concatenate([team(), np.zeros((EIGHT_WEEKS, 1))], axis=1)
    counts[TUESDAY_14 : TUESDAY_14 + 24, 6] = 200
    scores = find_members(counts)
    assert alarmed(scores) == {6}
    assert scores.new[TUESDAY_14 + 20, 6]
    assert not scores.new[TUESDAY_14 + 20, 0]


def test_a_new_member_who_works_like_the_others_is_no_alarm() -> None:
    counts = np.concatenate([team(), np.zeros((EIGHT_WEEKS, 1))], axis=1)
    counts[7 * 168 :, 6] = counts[7 * 168 :, 0]
    assert alarmed(find_members(counts)) == set()


def test_what_is_immaterial_to_the_team_is_not_told() -> None:
    counts = team(busy=2000.0)
    counts[:, 0] = np.minimum(counts[:, 0], 1)
    counts[TUESDAY_2 : TUESDAY_2 + 6, 0] = 50
    assert alarmed(find_members(counts)) == set()


def test_the_first_three_days_of_a_team_say_nothing() -> None:
    counts = np.zeros((100, 3))
    counts[:, 1] = 5000
    assert not find_members(counts).score[:72].any()


@pytest.mark.parametrize(("hours", "members"), [(0, 3), (1, 1), (200, 0), (700, 4)])
def test_no_calls_say_nothing(hours: int, members: int) -> None:
    assert not find_members(np.zeros((hours, members))).score.any()


@settings(deadline=None, max_examples=25)
@given(since=st.integers(0, EIGHT_WEEKS), joins=st.integers(0, EIGHT_WEEKS))
def test_computing_only_the_shown_hours_changes_nothing(since: int, joins: int) -> None:
    counts = team(3)
    counts[:joins, 0] = 0
    counts[TUESDAY_2 : TUESDAY_2 + 6, 2] += 300
    whole, shown = find_members(counts), find_members(counts, since)
    assert np.allclose(whole.score[since:], shown.score)
    assert np.allclose(whole.expected[since:], shown.expected)
    np.testing.assert_array_equal(whole.new[since:], shown.new)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 500))
def test_the_future_never_changes_the_scores_of_the_past(seed: int, cut: int) -> None:
    counts = np.stack([office(30, seed + j, 520) for j in range(3)], axis=1)
    counts[:200, 1] = 0
    before = find_members(counts)
    counts[cut:] = 40 * counts[cut:][::-1]
    after = find_members(counts)
    assert np.isfinite(after.score).all()
    np.testing.assert_array_equal(before.score[:cut], after.score[:cut])
