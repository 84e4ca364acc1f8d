"""Detects unusual rates: the share of calls that failed.

It is a binomial test that allows for more variation than chance, because error rates differ between hours
anyway. So "2 of 3 failed" raises no alarm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage.anomalies.detectors.common import FORTNIGHT, Flags, Floats, Ints, before, own, trailing

RATE_WIDTHS = (1, 4)  # an hour of many failures, or four hours of some
PRIOR_ERRORS, PRIOR_CALLS = 0.5, 25.0  # the usual rate is 2 % before anything is known
SPREAD_LOW, SPREAD_HIGH = (0.1, 0.0), (1.0, 0.01)  # limits of the variation between hours: (factor of p, share)
SURPRISE_CAP = 9.0  # one very bad hour counts as at most three standard deviations
STRANGE_CAP = 50.0  # one extreme hour must not raise the bar for eight weeks
SOFT = 3.0  # fewer standard deviations are never unusual
DIVISOR = 1.55  # measured: about 0.03 false alarms per team and week
MIN_EXCESS, MIN_RATIO, MIN_POINTS = 5.0, 2.0, 0.02  # failures above usual, x usual, points above usual
MIN_PAST_CALLS, MIN_HOURS = 200.0, 72  # before that the usual rate is a guess


@dataclass(frozen=True, slots=True)
class Gate:
    """The minimum excess that matters; below it nothing raises an alarm, however unusual it is."""

    ratio: float  # times the usual share
    points: float  # above the usual share, 0..1
    excess: float = MIN_EXCESS  # failed calls above the usual number


@dataclass(frozen=True, slots=True)
class RateScores:
    """For each hour (T,), how unusual the share of failures is.

    The numbers are those of the window, ending with this hour, that scored highest.
    """

    score: Floats  # an alarm if >= 1
    spans: Ints  # hours of the window
    usual: Floats  # share, 0..1, known before the window began
    found: Floats  # failures in the window
    calls: Floats  # calls in the window


@dataclass(frozen=True, slots=True)
class Window:
    """The failures in the window that ends with each hour, (T,).

    `k` of `n` calls failed, `p` is the usual share, `z` the excess in standard deviations, and `past_calls` the
    calls of the 14 days before the window.
    """

    k: Floats
    n: Floats
    p: Floats
    z: Floats
    past_calls: Floats


ERROR_GATE = Gate(MIN_RATIO, MIN_POINTS)


def find_rates(errors: Floats, calls: Floats) -> RateScores:
    """Scores the share of `errors` among `calls`, both of shape (T,) without gaps.

    Pass eight weeks of history before the first hour to show.
    """
    windows = [_window(np.asarray(errors, float), np.asarray(calls, float), width) for width in RATE_WIDTHS]
    scores = [score_window(window, ERROR_GATE, DIVISOR) for window in windows]
    return strongest(windows, scores, RATE_WIDTHS)


def _window(errors: Floats, calls: Floats, width: int) -> Window:
    past = before(calls, FORTNIGHT, width - 1)
    p = (before(errors, FORTNIGHT, width - 1) + PRIOR_ERRORS) / (past + PRIOR_CALLS)
    k, n = trailing(errors, width), trailing(calls, width)
    return Window(k, n, p, standardised(k, n, p, SPREAD_LOW, SPREAD_HIGH), past)


def standardised(
    k: Floats, n: Floats, p: Floats, low: tuple[float, float], high: tuple[float, float]
) -> Floats:
    """Returns z (T,), 0 to 50: how far k is above n * p, in standard deviations.

    The deviation is the binomial one plus the variation between the hours of the last 14 days. `low` and `high`
    limit that variation, each as (factor of p, added share).
    """
    off, v = k - n * p, n * p * (1 - p)
    extra = np.minimum(off * off - v, SURPRISE_CAP * (v + 1))
    weight = np.maximum(before(n * n, FORTNIGHT), 1.0)
    least, most = (low[0] * p + low[1]) ** 2, (high[0] * p + high[1]) ** 2
    spread = np.clip(before(extra, FORTNIGHT) / weight, least, most)
    return np.clip(off / np.sqrt(v + n * n * spread + 1), 0.0, STRANGE_CAP)


def score_window(w: Window, gate: Gate, divisor: float) -> Floats:
    """Returns the scores (T,) for windows of one length; 0 if the excess is too small or the past too short."""
    enough: Flags = (w.past_calls >= MIN_PAST_CALLS) & (np.arange(len(w.k)) >= MIN_HOURS)
    usual = w.n * w.p
    matters = (w.k - usual >= gate.excess) & (w.k >= gate.ratio * usual) & (w.k - usual >= gate.points * w.n)
    return np.where(enough & matters, own(w.z, SOFT) / divisor, 0.0)


def strongest(windows: list[Window], scores: list[Floats], widths: tuple[int, ...]) -> RateScores:
    """Returns, for each hour, the score and the numbers of the window length that scored highest."""
    stacked = np.stack(scores)
    best = np.argmax(stacked, axis=0)

    def pick(rows: list[Floats]) -> Floats:
        picked: Floats = np.stack(rows)[best, np.arange(len(best))]
        return picked

    spans: NDArray[np.int64] = np.array(widths, dtype=np.int64)[best]
    return RateScores(
        score=pick(scores),
        spans=spans,
        usual=pick([w.p for w in windows]),
        found=pick([w.k for w in windows]),
        calls=pick([w.n for w in windows]),
    )
