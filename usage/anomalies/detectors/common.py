"""What the detectors share: the hourly arrays, sums over the past, scores relative to past extremes, incidents.

Axis 0 is the hour on the team's clock, oldest first. A second axis, if there is one, is the member. Hour t of a
result depends only on hours up to t, never on later ones.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Hours = NDArray[np.datetime64]

DAY = 24
WEEK = 7 * DAY
FORTNIGHT = 2 * WEEK
MEMORY = 8 * WEEK  # hours after which past extremes no longer count
ALARM = 1.0  # the score from which an hour raises an alarm; each detector scales its scores to this
REST = 24  # for this many hours after a score, smaller scores count half: one alarm per incident
GAP = 6  # hours between two alarms of the same incident, at most
LEARNING = DAY  # the number of past values without which nothing is scored


@dataclass(frozen=True, slots=True)
class Incident:
    """One unusual period, as indexes of hours.

    `start` is included and `end` is not; `peak` is the hour with the highest score.
    """

    start: int
    end: int
    peak: int


def local_grid(
    starts: list[datetime], values: list[float], zone: ZoneInfo, until: datetime
) -> tuple[Hours, Floats]:
    """Maps hourly values to the hours of the team's clock, without gaps.

    The hours go from the first of `starts` (aware datetimes) to `until` (exclusive). In autumn the repeated
    hour is added to the first one; in spring the skipped hour stays 0. Returns the naive local hours,
    datetime64[s], and the values, both of shape (T,).
    """
    if not starts:
        return np.array([], dtype="datetime64[s]"), np.zeros(0)
    local = np.array([_wall_hour(start, zone) for start in starts], dtype="datetime64[s]")
    last = _wall_hour(until.astimezone(UTC) - timedelta(microseconds=1), zone)
    hours = np.arange(local.min(), np.datetime64(last, "s") + np.timedelta64(1, "h"), np.timedelta64(1, "h"))
    where = (local - hours[0]) // np.timedelta64(1, "h")
    inside = where < len(hours)
    summed = np.bincount(where[inside], weights=np.asarray(values, float)[inside], minlength=len(hours))
    return hours, summed.astype(float)


def is_weekend(hours: Hours) -> Flags:
    """Returns for each naive local hour, shape (T,), whether it is on a Saturday or Sunday."""
    days = hours.astype("datetime64[D]").astype(np.int64)
    flags: Flags = (days + 3) % 7 >= 5  # day 0, 1970-01-01, was a Thursday
    return flags


def before(x: Floats, hours: int, skip: int = 0, since: int = 0) -> Floats:
    """Returns for each hour t from `since` on the sum of the `hours` values that end `skip` hours before t.

    The value of t itself is never included. Near the start, it is the sum of the values that exist. The result
    has the shape of x without the first `since` rows.
    """
    total = _running(x)
    sums = np.zeros((len(x) - since, *x.shape[1:]))
    start = max(skip - since, 0)  # the first row that has at least `skip` values before it
    sums[start:] = total[since + start - skip : max(len(x) - skip, 0)]
    skip += hours
    start = max(skip - since, 0)
    sums[start:] -= total[since + start - skip : max(len(x) - skip, 0)]
    return sums


def trailing(x: Floats, hours: int) -> Floats:
    """Returns for each hour t the sum of the last `hours` values including t; same shape as x."""
    total = _running(x)
    sums = total[1:].copy()
    sums[hours:] -= total[1:-hours]
    return sums


def fourth_root(x: Floats) -> Floats:
    """Returns x^(1/4); negative values count as zero.

    They come from rounding in differences of running sums.
    """
    return np.sqrt(np.sqrt(np.maximum(x, 0.0)))


def own(strange: Floats, soft: float) -> Floats:
    """Scores `strange` against the extremes that the same series had in the last 8 weeks.

    The extremes are summarized by the fourth-power mean of the past values, which a few extreme hours dominate.
    So a score of 1 means about as strange as those. `soft` is added to that mean, so that small deviations of a
    very regular series raise no alarm. NaN (not known yet) scores 0.
    """
    known = ~np.isnan(strange)
    filled = np.where(known, strange, 0.0)
    seen = before(known.astype(float), MEMORY)
    past = before(np.square(np.square(filled)), MEMORY) / np.maximum(seen, 1.0)
    return np.where(seen >= LEARNING, filled / (soft + fourth_root(past)), 0.0)


def refract(score: Floats) -> Floats:
    """Halves each score (T,) that is not above all scores of the 24 hours before it: one event, one alarm."""
    padded = np.concatenate([np.zeros(REST), score])
    highest = np.lib.stride_tricks.sliding_window_view(padded, REST)[:-1].max(axis=-1)
    return np.where(score > highest, score, 0.5 * score)


def incidents(score: Floats, spans: Ints | None = None, threshold: float = ALARM) -> list[Incident]:
    """Groups the alarm hours of one series (T,) into incidents, bridging gaps of up to 6 hours.

    `spans` (T,) is the window length in hours of the rule that scored each hour. An incident covers the windows
    of all its alarms.
    """
    alarms = np.flatnonzero(score >= threshold)
    if not len(alarms):
        return []
    runs = np.split(alarms, np.flatnonzero(np.diff(alarms) > GAP) + 1)
    return [_incident(run, score, spans) for run in runs]


def _incident(run: NDArray[np.intp], score: Floats, spans: Ints | None) -> Incident:
    windows = run if spans is None else run - spans[run] + 1
    return Incident(
        start=max(int(windows.min()), 0), end=int(run[-1]) + 1, peak=int(run[np.argmax(score[run])])
    )


def _running(x: Floats) -> Floats:
    """Returns the sums of the first 0, 1, ... T values, of shape (T + 1, ...)."""
    total = np.zeros((len(x) + 1, *x.shape[1:]))
    x.cumsum(axis=0, out=total[1:])
    return total


def _wall_hour(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)
