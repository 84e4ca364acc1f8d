from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.anomalies.drivers import find_drivers, usual_of_cells


def test_one_member_who_explains_most_is_named_alone() -> None:
    drivers = find_drivers(np.array([110.0, 1000.0, 95.0]), np.array([100.0, 100.0, 100.0]))
    assert [driver.cell for driver in drivers] == [1]
    assert drivers[0].excess == 900
    assert drivers[0].share == pytest.approx(900 / 905)


def test_the_smallest_set_that_explains_eighty_percent_is_named_largest_first() -> None:
    drivers = find_drivers(np.array([30.0, 10.0, 55.0, 5.0]), np.zeros(4))
    assert [(driver.cell, driver.share) for driver in drivers] == [(2, 0.55), (0, 0.30)]


def test_more_than_three_are_spread() -> None:
    assert find_drivers(np.full(10, 50.0), np.full(10, 10.0)) == ()


def test_a_silence_names_those_who_fell_short() -> None:
    drivers = find_drivers(np.array([0.0, 50.0]), np.array([400.0, 50.0]))
    assert [(driver.cell, driver.excess, driver.share) for driver in drivers] == [(0, -400.0, 1.0)]


def test_nothing_unusual_has_no_driver() -> None:
    assert find_drivers(np.array([5.0, 5.0]), np.array([5.0, 5.0])) == ()
    assert find_drivers(np.zeros(0), np.zeros(0)) == ()


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_those_named_explain_enough_and_none_of_them_is_needless(found: Any) -> None:
    drivers = find_drivers(np.array(found, float), np.zeros(len(found)))
    assert len(drivers) <= 3
    if drivers:
        shares = [driver.share for driver in drivers]
        assert sum(shares) >= 0.8 - 1e-12
        assert sum(shares[:-1]) < 0.8
        assert shares == sorted(shares, reverse=True)


def test_the_usual_of_a_cell_is_the_mean_of_the_same_hours_in_past_weeks() -> None:
    counts = np.zeros((3 * 168, 2))
    counts[10:12, 0], counts[178:180, 0], counts[346:348, 1] = 4, 6, 99
    assert usual_of_cells(counts, 346, 348).tolist() == [10.0, 0.0]


def test_in_the_first_week_the_past_days_are_the_usual() -> None:
    counts = np.arange(72.0)[:, None]
    assert usual_of_cells(counts, 50, 51).tolist() == [14.0]  # hours 26 and 2


def test_without_a_past_nothing_is_usual() -> None:
    assert usual_of_cells(np.ones((30, 2)), 5, 8).tolist() == [0.0, 0.0]
