"""Draws when the demo's calls happen, by hour of the day, day of the week, growth, holidays and chance."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Rhythm(NamedTuple):
    """The relative number of calls in each hour of the local day, and the calls of a weekend day relative to a
    workday.
    """

    before_noon: tuple[float, ...]
    after_noon: tuple[float, ...]
    weekend: float


_RHYTHMS = {
    "office": Rhythm(
        (0.1, 0.05, 0.03, 0.03, 0.03, 0.1, 0.4, 1.6, 4.8, 8.5, 9.6, 9.2),
        (5.2, 7.4, 9.3, 9.0, 7.6, 5.0, 2.4, 1.2, 0.9, 0.8, 0.5, 0.2),
        weekend=0.07,
    ),
    "day": Rhythm(
        (0.8, 0.5, 0.4, 0.3, 0.4, 0.8, 1.8, 3.4, 5.0, 6.2, 6.6, 6.4),
        (6.0, 6.2, 6.5, 6.3, 6.0, 5.6, 5.0, 4.4, 3.8, 3.0, 2.0, 1.2),
        weekend=0.45,
    ),
    "night": Rhythm((0, 0.5, 9, 8, 3, 0, 0, 0, 0, 0, 0, 0), (0,) * 12, weekend=0.9),
    "steady": Rhythm((1,) * 12, (1,) * 12, weekend=0.8),
    "evening": Rhythm(
        (0.6, 0.2, 0.1, 0.1, 0.1, 0.2, 0.6, 1.0, 0.8, 0.5, 0.5, 0.6),
        (1.2, 0.8, 0.6, 0.6, 0.9, 1.8, 2.8, 4.2, 5.6, 5.8, 4.0, 1.8),
        weekend=1.7,
    ),
}


@lru_cache(maxsize=16)
def _local_hours(start: datetime, hours: int, zone: str) -> tuple[Ints, Ints]:
    """Returns the hour of the day and the day of the week (Monday is 0) in a time zone, for each hour from
    `start` on.
    """
    clock = ZoneInfo(zone)
    local = [(start + timedelta(hours=hour)).astimezone(clock) for hour in range(hours)]
    return np.array([at.hour for at in local]), np.array([at.weekday() for at in local])


def hourly_rates(
    rng: np.random.Generator, *, start: datetime, hours: int, zone: str, rhythm: str, growth: float
) -> Floats:
    """Returns the relative number of calls expected in each hour from `start` on.

    Some days and hours are busier than others; people with office hours may have a holiday.
    """
    morning, afternoon, weekend = _RHYTHMS[rhythm]
    hour, weekday = _local_hours(start, hours, zone)
    rates = np.array(morning + afternoon)[hour] * np.where(weekday >= 5, weekend, 1.0)
    # Growth by the factor `growth` over 90 days, however long the window is.
    days_left = (hours - np.arange(hours)) / 24
    rates *= growth ** (-days_left / 90)
    days = hours // 24 + 1
    rates *= np.repeat(rng.gamma(6, 1 / 6, days), 24)[:hours] * rng.gamma(5, 1 / 5, hours)
    if rhythm == "office" and rng.random() < 0.5:
        first = rng.integers(0, max(1, hours - 24 * 9))
        rates[first : first + 24 * 9] *= 0.02
    return rates


def times_within(rng: np.random.Generator, rates: Floats) -> Floats:
    """Draws a Poisson number of calls for each hour. Returns their starts in ascending order, in seconds after
    the first hour's start.
    """
    counts = rng.poisson(rates)
    hour_of_call = np.repeat(np.arange(len(rates)), counts)
    return np.sort((hour_of_call + rng.random(len(hour_of_call))) * 3600.0)
