"""Hand-made usage for the tests: eight weeks of a team that works in office hours."""

import numpy as np

from usage.anomalies.detectors.common import Floats, Hours

EIGHT_WEEKS = 1344
TUESDAY_14 = 7 * 168 + 24 + 14  # in the last week; every series begins on a Monday at midnight
TUESDAY_2 = 7 * 168 + 24 + 2


def hours(count: int = EIGHT_WEEKS) -> Hours:
    return np.datetime64("2026-02-02T00:00:00", "s") + np.arange(count).astype("timedelta64[h]")


def office(busy: float = 200.0, seed: int = 1, count: int = EIGHT_WEEKS) -> Floats:
    """Calls per hour: `busy` from 9 to 18 on weekdays, a twentieth else, with noise of about 15 %."""
    rng = np.random.default_rng(seed)
    t = np.arange(count)
    work = (t % 24 >= 9) & (t % 24 < 18) & (t // 24 % 7 < 5)
    usual = np.where(work, busy, busy / 20)
    return rng.poisson(usual * rng.gamma(45, 1 / 45, count)).astype(float)
