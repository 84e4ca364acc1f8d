"""Two demands on the detectors that the suite does not print, on series of our own: a new level becomes usual, and
where nothing ever happens nothing is told.

A level shift: use of a team is another one from one hour on, for good. Its first days may well alarm; from the
fifth day on at most one team in ten may on any one day. On all zeros nothing may alarm at all, by any detector.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from usage.anomalies.detectors.common import ALARM, Floats, Hours
from usage.anomalies.detectors.latency import find_slow
from usage.anomalies.detectors.members import find_members
from usage.anomalies.detectors.periods import find_periods
from usage.anomalies.detectors.rates import find_rates

WEEKS = 8
HOURS = WEEKS * 168
# A Tuesday at ten of the fifth week: usual hours are known by the hour of the week by then.
SHIFTED_AT = 4 * 168 + 24 + 10
FACTORS = {"up to 2.5 times": 2.5, "down to 0.4 times": 0.4}
# A share of 40 teams is known to within five points on one day, of 1,000 to within one; they take seconds.
TEAMS_MORE = 25
SETTLED_DAYS = 5  # days of a new level, after which it is usual
MOST_ALARMED = 0.10  # of the teams, on any one day from then on
SIZES = (3, 5, 8, 12, 20, 35, 60, 100)
MONDAY = np.datetime64("2026-02-02T00:00:00", "s")


@dataclass(frozen=True)
class Shifted:
    """Of all teams together, by day since the shift, how many had an alarm; and in the weeks 3 and 4 before it."""

    by_day: Floats  # share of the teams, (days,)
    before: float  # share of the teams on one day

    @property
    def settled(self) -> Floats:
        return self.by_day[SETTLED_DAYS - 1 :]

    @property
    def worst(self) -> float:
        return float(self.settled.max())


def team_calls(rng: np.random.Generator, factor: float = 1.0) -> Floats:
    """Calls by the hour of a team of some size, `factor` times as many from SHIFTED_AT on: (HOURS,)."""
    people = int(rng.choice(SIZES))
    hour, weekday = np.arange(HOURS) % 24, np.arange(HOURS) // 24 % 7
    mean = np.zeros(HOURS)
    for _ in range(people):
        begins, ends = rng.normal(9, 1), rng.normal(17.5, 1)
        at_work = ((hour >= begins) & (hour < ends)) * np.where(weekday < 5, 1.0, rng.uniform(0, 0.15))
        there = (rng.random(WEEKS * 7) < rng.uniform(0.6, 0.95))[np.arange(HOURS) // 24]
        busy = rng.random(HOURS) < rng.uniform(0.4, 0.85)
        spread = rng.uniform(0.4, 1.2)
        mean += rng.lognormal(3, 1) * (at_work * there * busy + 0.01) * rng.gamma(1 / spread, spread, HOURS)
    if rng.random() < 0.3:  # a job every night
        mean += rng.uniform(1, 4) * mean.mean() * (hour == rng.integers(0, 6)) * rng.gamma(20, 1 / 20, HOURS)
    mean[SHIFTED_AT:] *= factor
    return rng.poisson(mean).astype(float)


def hours() -> Hours:
    return MONDAY + np.arange(HOURS).astype("timedelta64[h]")


def level_shift(seed: int, teams: int, factor: float) -> Shifted:
    """What `find_periods` tells of teams whose use becomes `factor` times what it was."""
    days_after = (HOURS - SHIFTED_AT) // 24
    after, before = np.zeros(days_after), 0.0
    for team in range(teams):
        rng = np.random.default_rng([seed, team])
        alarms = find_periods(hours(), team_calls(rng, factor)).score >= ALARM
        after += alarms[SHIFTED_AT : SHIFTED_AT + 24 * days_after].reshape(days_after, 24).any(axis=1)
        before += alarms[2 * 168 : 4 * 168].reshape(14, 24).any(axis=1).mean()
    return Shifted(after / teams, before / teams)


def alarms_on_zeros() -> dict[str, int]:
    """How many hours of an all-zero series each detector alarms at."""
    nothing, members, buckets = np.zeros(HOURS), np.zeros((HOURS, 12)), np.zeros((HOURS, 19))
    scores: dict[str, Callable[[], Floats]] = {
        "calls": lambda: find_periods(hours(), nothing).score,
        "tokens and cost": lambda: find_periods(hours(), nothing, nothing).score,
        "error rate": lambda: find_rates(nothing, nothing).score,
        "latency": lambda: find_slow(buckets).score,
        "members": lambda: find_members(members).score,
    }
    # A score that is not a number would be no alarm and yet be wrong.
    return {name: int((~(find() < ALARM)).sum()) for name, find in scores.items()}


def verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def print_rows(seed: int, teams: int) -> None:
    """Both demands, what was found, and whether they are met."""
    many = TEAMS_MORE * teams
    print(f"\n== DEMANDS BESIDE THE SUITE, own series, seed {seed}, {many:,} teams")
    for words, factor in FACTORS.items():
        found = level_shift(seed, many, factor)
        by_day = " ".join(f"{100 * share:.0f}" for share in found.by_day[:14])
        print(
            f"  level shift {words:18s} from day {SETTLED_DAYS} on at most {found.worst:.1%} of the teams alarm on a "
            f"day, {found.settled.mean():.1%} on average (before the shift {found.before:.1%}); "
            f"must: {MOST_ALARMED:.0%}: {verdict(found.worst <= MOST_ALARMED)}"
        )
        print(f"  {'':30s} days 1 to 14, percent of the teams: {by_day}")
    zeros = alarms_on_zeros()
    listed = ", ".join(f"{name} {count}" for name, count in zeros.items())
    print(f"  all-zero series, alarms: {listed}; must: none: {verdict(not any(zeros.values()))}")
