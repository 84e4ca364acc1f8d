"""Finds the few cells of a dimension that explain an unusual period.

A cell is one value of the dimension: a member, a token, a model or a kind of failure.
"""

from dataclasses import dataclass

import numpy as np

from usage.anomalies.detectors.common import DAY, WEEK, Floats

EXPLAINED = 0.80  # the part of the whole excess that the named drivers must explain
MOST_NAMED = 3  # with more drivers than this, the excess is called spread
PERIODS_BACK = 8  # as many weeks as the detectors remember


@dataclass(frozen=True, slots=True)
class Driver:
    """A cell (member, token, model or kind of failure) that caused a part of an excess."""

    cell: int  # index in the arrays that were passed
    excess: float  # found minus usual; negative in a silence
    share: float  # of the whole excess; above 1 if other cells went the other way


def find_drivers(found: Floats, usual: Floats) -> tuple[Driver, ...]:
    """Returns the smallest set of cells that explains 80 % of the excess, largest first.

    Empty if that takes more than three cells, or if there is no excess. `found` and `usual`, of shape (cells,),
    are sums over the period; for a rate, `usual` is the usual rate times the cell's calls. If the whole excess
    is negative (silence), the cells that fell short are returned.
    """
    excess = np.asarray(found, float) - np.asarray(usual, float)
    whole = float(excess.sum())
    if whole == 0.0:
        return ()
    share = excess / whole
    order = np.argsort(-share, kind="stable")[:MOST_NAMED]
    explained = np.cumsum(share[order])
    if not (explained >= EXPLAINED).any():
        return ()
    named = order[: int(np.argmax(explained >= EXPLAINED)) + 1]
    return tuple(Driver(int(cell), float(excess[cell]), float(share[cell])) for cell in named)


def usual_of_cells(counts: Floats, start: int, end: int) -> Floats:
    """Returns the usual value of each cell in the hours [start, end), of shape (cells,).

    `counts` are hourly values of shape (T, cells). The usual value is the mean of the same hours in up to eight
    past weeks, or in past days during the first week. It is a mean and not a median, so that the cells add up
    to the total. Zero if there is no past.
    """
    step = WEEK if start >= WEEK else DAY
    step *= -(-(end - start) // step)  # a period longer than a week is compared with the one before it
    begins = [start - step * k for k in range(1, PERIODS_BACK + 1) if start - step * k >= 0]
    if not begins:
        return np.zeros(counts.shape[1])
    mean: Floats = np.mean([counts[begin : begin + end - start].sum(axis=0) for begin in begins], axis=0)
    return mean
