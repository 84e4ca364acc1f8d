"""Detects unusual slowness from hourly histograms of latency.

Percentiles are not compared directly. For each day two bucket edges are chosen, near the usual median and the
usual p95. The share of calls slower than such an edge is then tested as a rate (see
`usage.anomalies.detectors.rates`).
"""

from dataclasses import dataclass

import numpy as np

from usage.anomalies.detectors.common import DAY, FORTNIGHT, Floats, Ints, before, trailing
from usage.anomalies.detectors.rates import Gate, RateScores, Window, score_window, standardised, strongest

LATENCY_WIDTHS = (1, 2, 4)
SPREAD_LOW, SPREAD_HIGH = (0.05, 0.0), (0.5, 0.02)  # limits of the variation: (factor of p, share)
PRIOR_CALLS = 20.0  # weight of the target share in the usual share, in calls
DIVISOR = 1.10  # measured: about 0.03 false alarms per team and week


@dataclass(frozen=True, slots=True)
class SlowShare:
    """A usual share of slow calls (0 to 1), and the minimum excess that matters.

    The latency limit above which calls count as slow is chosen to give this share.
    """

    share: float
    gate: Gate


TARGETS = (SlowShare(0.50, Gate(ratio=1.3, points=0.15)), SlowShare(0.05, Gate(ratio=2.0, points=0.05)))


@dataclass(frozen=True, slots=True)
class LatencyScores:
    """For each hour (T,), how unusual the share of slow calls is, and from which latency a call is slow."""

    rate: RateScores  # found: calls slower than the edge
    edge: Ints  # index of the bucket whose upper bound is the edge

    @property
    def score(self) -> Floats:
        """How unusual the share of slow calls is, for each hour; 1 or more is an alarm."""
        return self.rate.score


def find_slow(histogram: Floats) -> LatencyScores:
    """Scores a `histogram` of calls, of shape (T hours, buckets of increasing latency), without gaps.

    Pass eight weeks of history before the first hour to show.
    """
    counts = np.asarray(histogram, float)
    slower = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]  # in or above each bucket
    calls, slower = slower[:, 0].copy(), slower[:, 1:]  # above the upper bound of each bucket but the last
    past = np.concatenate([np.zeros((1, slower.shape[1])), np.cumsum(slower, axis=0)])
    windows, scores, edges = [], [], []
    for target in TARGETS:
        edge = _daily_edges(past, calls, target.share)
        for width in LATENCY_WIDTHS:
            window = _window(past, calls, edge, width, target.share)
            windows.append(window)
            scores.append(score_window(window, target.gate, DIVISOR))
            edges.append(edge)
    rate = strongest(windows, scores, LATENCY_WIDTHS * len(TARGETS))
    return LatencyScores(rate, np.stack(edges)[np.argmax(np.stack(scores), axis=0), np.arange(len(calls))])


def _daily_edges(past: Floats, calls: Floats, share: float) -> Ints:
    """Returns for each hour (T,) the index of the bucket edge above which calls count as slow.

    It is the edge whose share of slower calls was nearest to `share` in the 336 hours before the day began.
    """
    days = np.arange(0, len(calls), DAY)
    slower = past[days] - past[np.maximum(days - FORTNIGHT, 0)]
    total = before(calls, FORTNIGHT)[days]
    known = np.maximum(slower, 0.5) / np.maximum(total, 1.0)[:, None]
    chosen = np.argmin(np.abs(np.log(known / share)), axis=1)
    return np.repeat(chosen, DAY)[: len(calls)].astype(np.int64)


def _window(past: Floats, calls: Floats, edge: Ints, width: int, share: float) -> Window:
    """Returns the window that ends with each hour, with the calls slower than that hour's edge as `k`.

    The usual share is that of the 14 days before the window.
    """
    end = np.arange(1, len(calls) + 1)
    start = np.maximum(end - width, 0)
    total = before(calls, FORTNIGHT, width - 1)
    slower = past[start, edge] - past[np.maximum(start - FORTNIGHT, 0), edge]
    k, n = past[end, edge] - past[start, edge], trailing(calls, width)
    p = (slower + share * PRIOR_CALLS) / (total + PRIOR_CALLS)
    return Window(k, n, p, standardised(k, n, p, SPREAD_LOW, SPREAD_HIGH), total)
