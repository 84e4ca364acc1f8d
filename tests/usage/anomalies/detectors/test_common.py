from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from usage.anomalies.detectors.common import (
    Incident,
    before,
    incidents,
    is_weekend,
    local_grid,
    own,
    refract,
    trailing,
)

SERIES = arrays(float, st.integers(1, 60), elements=st.integers(0, 1000).map(float))


@given(SERIES, st.integers(1, 70), st.integers(0, 10))
def test_sums_before_leave_out_the_hour_itself(x: Any, hours: Any, skip: Any) -> None:
    expected = [x[max(t - skip - hours, 0) : max(t - skip, 0)].sum() for t in range(len(x))]
    assert before(x, hours, skip).tolist() == expected


@given(SERIES, st.integers(1, 70))
def test_trailing_sums_include_the_hour_itself(x: Any, hours: Any) -> None:
    assert trailing(x, hours).tolist() == [x[max(t + 1 - hours, 0) : t + 1].sum() for t in range(len(x))]


def test_own_says_nothing_before_a_day_of_values_is_known() -> None:
    strange = np.full(60, 5.0)
    strange[:10] = np.nan
    scores = own(strange, 1e-9)
    assert not scores[:34].any()
    assert np.allclose(scores[34:], 1.0), "as strange as always is 1"


def test_own_asks_more_of_a_series_that_was_strange_before() -> None:
    calm, wild = np.ones(100), np.ones(100)
    wild[50] = 10.0
    calm[-1] = wild[-1] = 8.0
    assert own(calm, 1.0)[-1] > 2 * own(wild, 1.0)[-1]


def test_refract_halves_what_is_not_larger_than_the_day_before() -> None:
    score = np.zeros(60)
    score[[5, 10, 20, 50]] = [2.0, 1.5, 3.0, 1.2]
    assert refract(score)[[5, 10, 20, 50]].tolist() == [2.0, 0.75, 3.0, 1.2]


def test_alarms_less_than_six_hours_apart_are_one_incident_with_its_peak() -> None:
    score = np.zeros(40)
    score[[10, 16, 30]] = [1.1, 1.4, 1.0]
    assert incidents(score) == [Incident(10, 17, 16), Incident(30, 31, 30)]


def test_an_incident_covers_the_windows_of_its_alarms() -> None:
    score, spans = np.zeros(40), np.ones(40, dtype=np.int64)
    score[[2, 20, 21]] = 1.0
    spans[[2, 21]] = 4
    assert [(i.start, i.end) for i in incidents(score, spans)] == [(0, 3), (18, 22)]


def test_a_quiet_series_has_no_incident() -> None:
    assert incidents(np.full(50, 0.99)) == []


def test_the_weekend_is_saturday_and_sunday() -> None:
    monday = np.datetime64("2026-02-02T00:00:00", "s")
    days = monday + (np.arange(7) * 24).astype("timedelta64[h]")
    assert is_weekend(days).tolist() == [False] * 5 + [True] * 2


def test_the_grid_fills_hours_without_calls_with_zero() -> None:
    start = datetime(2026, 3, 1, 10, tzinfo=UTC)
    hours, values = local_grid(
        [start, start + timedelta(hours=3)], [5, 7], ZoneInfo("Europe/Berlin"), start + timedelta(hours=5)
    )
    assert str(hours[0]) == "2026-03-01T11:00:00"
    assert values.tolist() == [5, 0, 0, 7, 0]


def test_the_repeated_hour_of_autumn_is_added_to_its_hour() -> None:
    midnight_utc = datetime(2026, 10, 25, 0, tzinfo=UTC)  # 02:00 twice in Berlin
    starts = [midnight_utc + timedelta(hours=h) for h in range(3)]
    _, values = local_grid(starts, [1, 2, 4], ZoneInfo("Europe/Berlin"), midnight_utc + timedelta(hours=3))
    assert values.tolist() == [3, 4]


def test_the_skipped_hour_of_spring_is_zero() -> None:
    start = datetime(2026, 3, 29, 0, tzinfo=UTC)  # 01:00 in Berlin, then 03:00
    hours, values = local_grid(
        [start, start + timedelta(hours=1)], [1, 2], ZoneInfo("Europe/Berlin"), start + timedelta(hours=2)
    )
    assert values.tolist() == [1, 0, 2]
    assert str(hours[-1]) == "2026-03-29T03:00:00"


def test_half_hour_zones_are_cut_at_their_own_hours() -> None:
    start = datetime(2026, 3, 1, 10, tzinfo=UTC)
    hours, _ = local_grid([start], [1], ZoneInfo("Asia/Kolkata"), start + timedelta(hours=1))
    assert str(hours[0]) == "2026-03-01T15:00:00"


def test_no_buckets_make_an_empty_grid() -> None:
    hours, values = local_grid([], [], ZoneInfo("UTC"), datetime(2026, 3, 1, tzinfo=UTC))
    assert len(hours) == len(values) == 0
