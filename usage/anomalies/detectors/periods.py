"""Detects unusual periods of additive counters: calls, tokens, cost.

Four rules look at windows of different length: A (1 h) and B (4 h) for too much, D (2 h) for silence, Y (24 h)
for slow growth. Each compares the window with the usual value of these hours of the week at the present level
of use, and with the past extremes of the same series. The divisors of D and Y were tuned on synthetic series:
fewer false alarms about silence allow more sensitivity to slow growth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage.anomalies.detectors.common import (
    ALARM,
    DAY,
    FORTNIGHT,
    LEARNING,
    WEEK,
    Floats,
    Hours,
    Incident,
    Ints,
    before,
    incidents,
    is_weekend,
    own,
    refract,
    trailing,
)

WEEKS_BACK = 8  # number of past weeks whose same hour is used
WEEKS_NEEDED = 3  # a median of two would follow one odd week
DAYS_BACK = 14  # until then, number of past days whose same hour is used
LEVEL_HOURS = 72  # follows growth and new members within days, not a spike within hours
LEVEL_RANGE = (0.2, 5.0)  # outside this range the weekly shape says nothing about the present
SURPRISE_CAP = 3.0  # an hour raises the level by at most three times its usual value
RULES = ("", "A", "B", "D", "Y")  # a rule is stored as its index in this tuple
SILENCE = RULES.index("D")
SPANS = np.array([1, 1, 4, 2, 24], dtype=np.int64)  # hours each rule looks at
STRANGE_CAP = 50.0  # one absurd hour must not raise the bar for eight weeks
DIVISOR_A, DIVISOR_B, DIVISOR_D, DIVISOR_Y = (
    2.1,
    1.6,
    1.8,
    1.75,
)  # measured: 0.15 false alarms per team and week
SOFT_A, SOFT_B, SOFT_D, SOFT_Y = 3.0, 3.0, 0.8, 0.1  # see `own`: the bar for a perfectly regular series
FLOOR_A, FLOOR_B = 0.3, 0.84  # part of the series' standard deviation: 14 calm days prove little
GATE_A, GATE_B, GATE_Y = 20.0, 40.0, 80.0  # calls above usual: fewer do not matter
GATE_RATIO = 1.5
SILENCE_CALLS, SILENCE_RATIO = 30.0, 4.0  # this many calls are usual, and three quarters of them are missing


@dataclass(frozen=True, slots=True)
class PeriodScores:
    """For each hour (T,), how unusual it is, the rule that found it, and the numbers for the sentence."""

    score: Floats  # an alarm if >= 1
    rule: NDArray[np.int8]  # index in RULES
    usual: Floats  # usual value of the hour, in the unit of the series; NaN in the first 24 h
    values: Floats  # actual value of the hour
    found: Floats  # sum over the window of the hour's rule
    expected: Floats  # usual sum over the same window

    @property
    def spans(self) -> Ints:
        """The window length in hours of each hour's rule."""
        spans: Ints = SPANS[self.rule]
        return spans


@dataclass(frozen=True, slots=True)
class _Usual:
    """The series and its usual values: the inputs of the rules, each of shape (T,)."""

    x: Floats  # the series
    e: Floats  # usual value for the hour of the week
    u: Floats  # e at the present level of use
    m: Floats  # mean of u so far: the size of the team
    unit: Floats  # mean amount of the series per call


@dataclass(frozen=True, slots=True)
class _Finding:
    score: Floats
    found: Floats
    expected: Floats


def find_periods(hours: Hours, values: Floats, calls: Floats | None = None) -> PeriodScores:
    """Scores an additive counter: `values` (T,) at the local `hours` (T,), without gaps.

    Minimum amounts are declared in calls. For tokens or cost pass `calls` (T,) too; they are converted by the
    mean amount per call so far. Hours before the first call are not history. Pass eight weeks before the first
    hour to show, and only hours that are over: half an hour of calls would look like silence.
    """
    x = np.asarray(values, float)
    first = int(np.argmax(x > 0)) if (x > 0).any() else len(x)
    known = _usual(hours[first:], x[first:], None if calls is None else np.asarray(calls, float)[first:])
    a = _spike(known, 1, FLOOR_A, SOFT_A, GATE_A, DIVISOR_A)
    b = _spike(known, 4, FLOOR_B, SOFT_B, GATE_B, DIVISOR_B)
    return _strongest(x, first, known.u, [a, b, _silence(known), _growth(known)])


def period_incidents(scores: PeriodScores, threshold: float = ALARM) -> list[Incident]:
    """Returns the incidents. Each covers the windows of its alarms or, for a silence, all its hours."""
    found: list[Incident] = []
    for incident in incidents(scores.score, scores.spans, threshold):
        wide = _widened(scores, incident)
        if found and wide.start < found[-1].end:  # the same silence raised two alarms
            wide = _merged(scores, found.pop(), wide)
        found.append(wide)
    return found


def silence_around(scores: PeriodScores, peak: int) -> tuple[int, int]:
    """Returns the hours [start, end) of the silence around `peak`.

    It covers the windows of all adjacent hours that were scored by rule D.
    """
    other = np.flatnonzero(scores.rule != SILENCE)
    earlier, later = other[other < peak], other[other > peak]
    start = int(earlier[-1]) + 1 if len(earlier) else 0
    end = int(later[0]) if len(later) else len(scores.rule)
    return max(start - int(SPANS[SILENCE]) + 1, 0), end


def _widened(scores: PeriodScores, incident: Incident) -> Incident:
    if scores.rule[incident.peak] != SILENCE:
        return incident
    start, end = silence_around(scores, incident.peak)
    return Incident(min(start, incident.start), max(end, incident.end), incident.peak)


def _merged(scores: PeriodScores, one: Incident, other: Incident) -> Incident:
    peak = max(one.peak, other.peak, key=lambda hour: float(scores.score[hour]))
    return Incident(min(one.start, other.start), max(one.end, other.end), peak)


def usual_shape(x: Floats, weekend: NDArray[np.bool_]) -> Floats:
    """Returns the usual value e (T,) of each hour, not adjusted to the present level of use.

    It is the median of the same hour in past weeks or, in the first three weeks, in past days; NaN on the first
    day.
    """
    smooth = 0.5 * x
    smooth[1:] += 0.25 * x[:-1]
    smooth[:-1] += 0.25 * x[1:]
    early = min(WEEKS_NEEDED * WEEK, len(x))
    weekly = _median_back(smooth, WEEK, WEEKS_BACK, np.arange(early, len(x)), None)
    at = np.arange(early)
    same = _median_back(smooth, DAY, DAYS_BACK, at, weekend)
    any_day = _median_back(smooth, DAY, DAYS_BACK, at, None)
    return np.concatenate([np.where(np.isnan(same), any_day, same), weekly])


def _median_back(x: Floats, step: int, count: int, at: Ints, kind: NDArray[np.bool_] | None) -> Floats:
    """Returns the median of x[t - step], ..., x[t - count*step] for each t in `at`.

    Only values that exist count and, if `kind` is given, only those of the same kind as t (weekend or not).
    """
    back = at - step * np.arange(1, count + 1)[:, None]
    usable = back >= 0
    back = np.maximum(back, 0)
    if kind is not None:
        usable &= kind[back] == kind[at]
    sample = np.sort(np.where(usable, x[back], np.inf), axis=0)
    n = usable.sum(axis=0)
    column = np.arange(len(at))
    middle = 0.5 * (sample[np.maximum(n - 1, 0) // 2, column] + sample[np.minimum(n // 2, count - 1), column])
    return np.where(n > 0, middle, np.nan)


def _level(x: Floats, e: Floats, hours: int, prior: int, skip: int = 0) -> Floats:
    """Returns the ratio of present to usual use, over the `hours` hours that end `skip` hours before t.

    `prior` hours of usual use are added to both, which draws the ratio towards 1.
    """
    known = ~np.isnan(e)
    shape = np.where(known, e, 0.0)
    seen = np.where(known, np.minimum(x, SURPRISE_CAP * shape), 0.0)
    pull = prior * np.cumsum(shape) / np.maximum(np.cumsum(known), 1)
    usual = before(shape, hours, skip) + pull
    ratio = (before(seen, hours, skip) + pull) / np.where(usual > 0, usual, 1.0)
    return np.clip(np.where(usual > 0, ratio, 1.0), *LEVEL_RANGE)


def _usual(hours: Hours, x: Floats, calls: Floats | None) -> _Usual:
    e = usual_shape(x, is_weekend(hours))
    u = e * _level(x, e, LEVEL_HOURS, DAY)
    known = ~np.isnan(u)
    m = np.cumsum(np.where(known, u, 0.0)) / np.maximum(np.cumsum(known), 1)
    if calls is None:
        return _Usual(x, e, u, m, np.ones(len(x)))
    return _Usual(x, e, u, m, np.cumsum(x) / np.maximum(np.cumsum(calls), 1.0))


def _spike(k: _Usual, width: int, floor: float, soft: float, gate: float, divisor: float) -> _Finding:
    """Rules A and B: scores more than usual in `width` hours, relative to the usual deviation."""
    found, expected, mean = trailing(k.x, width), _window(k.u, width), width * k.m
    f = np.sqrt((expected + mean / 4) / np.where(mean > 0, 1.25 * mean, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(found - expected) / f
        strange = np.minimum(off / _spread(off, k.x, floor), STRANGE_CAP)
    notable = (found - expected >= gate * k.unit) & (found >= GATE_RATIO * expected)
    return _Finding(np.where(notable, own(strange, soft) / divisor, 0.0), found, expected)


def _spread(off: Floats, x: Floats, floor: float) -> Floats:
    """Returns the usual deviation over the last 14 days.

    It is at least `floor` times the standard deviation of the series.
    """
    known = np.isfinite(off)
    n = np.maximum(before(known.astype(float), FORTNIGHT), 1.0)
    typical = before(np.where(known, off, 0.0), FORTNIGHT) / n
    hours = np.maximum(before(np.ones(len(x)), FORTNIGHT), 1.0)
    mean = before(x, FORTNIGHT) / hours
    sd = np.sqrt(np.maximum(before(x * x, FORTNIGHT) / hours - mean * mean, 0.0))
    return np.maximum(1.25 * typical, floor * sd)


def _silence(k: _Usual) -> _Finding:
    """Rule D: scores two hours with almost nothing where much is usual, from day 15 on."""
    found, expected, small = trailing(k.x, 2), _window(k.u, 2), 0.2 * k.m
    missing = (expected >= k.m) & (expected >= SILENCE_CALLS * k.unit) & (found <= expected / SILENCE_RATIO)
    strange = _log_ratio(expected + small, found + small)
    strange[:LEARNING] = np.nan
    score = np.where(missing & (np.arange(len(k.x)) >= FORTNIGHT), own(strange, SOFT_D) / DIVISOR_D, 0.0)
    return _Finding(score, found, expected)


def _growth(k: _Usual) -> _Finding:
    """Rule Y: scores 24 hours above the level of the 14 days before them, from day 15 on."""
    shape = np.where(np.isnan(k.e), 0.0, k.e)
    found = trailing(k.x, DAY)
    expected = trailing(shape, DAY) * _level(k.x, k.e, FORTNIGHT, LEVEL_HOURS, skip=DAY)
    strange = _log_ratio(found + 6 * k.m, expected + 6 * k.m)
    strange[:FORTNIGHT] = np.nan
    notable = (found - expected >= GATE_Y * k.unit) & (found >= GATE_RATIO * expected)
    return _Finding(np.where(notable, own(strange, SOFT_Y) / DIVISOR_Y, 0.0), found, expected)


def _window(u: Floats, width: int) -> Floats:
    """Returns the usual value of the last `width` hours; NaN if one of them has no usual value."""
    known = ~np.isnan(u)
    full = trailing(known.astype(float), width) == width
    return np.where(full, trailing(np.where(known, u, 0.0), width), np.nan)


def _log_ratio(above: Floats, below: Floats) -> Floats:
    """Returns max(0, ln(above / below)); 0 unless both are positive."""
    fine = (above > 0) & (below > 0)
    ratio = np.where(fine, above, 1.0) / np.where(fine, below, 1.0)
    return np.maximum(np.log(ratio), 0.0)


def _strongest(x: Floats, first: int, u: Floats, findings: list[_Finding]) -> PeriodScores:
    """Combines the rules: the highest score of each hour, with the numbers of the rule that describes it.

    That is the rule with the highest score. But if a rule for spikes (A before B) raises an alarm, it is
    preferred, because it dates the incident better. The result covers all hours, including those before the
    first call.
    """
    scores = np.stack([finding.score for finding in findings])
    top = scores.max(axis=0)
    spikes = scores[:2] >= ALARM  # rules A and B, the shorter first
    best = np.where(spikes.any(axis=0), np.argmax(spikes, axis=0), np.argmax(scores, axis=0))
    column = np.arange(len(u))
    lead = np.zeros(first)
    return PeriodScores(
        score=np.concatenate([lead, refract(top)]),
        rule=np.concatenate([lead, np.where(top > 0, best + 1, 0)]).astype(np.int8),
        usual=np.concatenate([lead * np.nan, u]),
        values=x,
        found=np.concatenate([lead, np.stack([f.found for f in findings])[best, column]]),
        expected=np.concatenate([lead, np.stack([f.expected for f in findings])[best, column]]),
    )
