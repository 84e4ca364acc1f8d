"""How well and how fast the unusual is found.

    python tests/benchmarks/bench_insight.py [--seed 1001] [--teams 40] [--suite ../shared/insight/suite.py]

Tune on seeds 1 to 100 only; other seeds are for judging.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
SUITE = HERE.parents[3] / "shared" / "insight" / "suite.py"
sys.path.insert(0, str(HERE.parents[2]))

from tests.benchmarks.insight_rows import print_rows  # noqa: E402
from usage.anomalies.detectors.latency import find_slow  # noqa: E402
from usage.anomalies.detectors.members import find_members  # noqa: E402
from usage.anomalies.detectors.periods import find_periods  # noqa: E402
from usage.anomalies.detectors.rates import find_rates  # noqa: E402

EIGHT_WEEKS = 1344
LAST_WEEK = EIGHT_WEEKS - 168
BUDGET_MS = 10.0
REPEATS = 25


def milliseconds(work: Callable[[], object]) -> float:
    """The median of some runs, after one to warm up."""
    work()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def page(members: int) -> dict[str, Callable[[], object]]:
    """What one page detects: eight weeks of a team of `members`, of which the last week is shown."""
    rng = np.random.default_rng(1)
    hours = np.datetime64("2026-02-02T00:00:00", "s") + np.arange(EIGHT_WEEKS).astype("timedelta64[h]")
    counts = rng.poisson(rng.gamma(1, 8, (EIGHT_WEEKS, members))).astype(float)
    calls = counts.sum(axis=1)
    tokens, cost = calls * rng.gamma(20, 40, EIGHT_WEEKS), calls * rng.gamma(20, 1e5, EIGHT_WEEKS)
    errors = rng.binomial(calls.astype(int), 0.02).astype(float)
    histogram = np.stack([rng.multinomial(int(n), np.full(19, 1 / 19)) for n in calls]).astype(float)
    return {
        "calls": lambda: find_periods(hours, calls),
        "tokens": lambda: find_periods(hours, tokens, calls),
        "cost": lambda: find_periods(hours, cost, calls),
        "error rate": lambda: find_rates(errors, calls),
        "latency": lambda: find_slow(histogram),
        "members": lambda: find_members(counts, since=LAST_WEEK),
    }


def print_timings(members: int) -> None:
    print(f"\nTime to detect on eight weeks, a team of {members}, last week shown:")
    times = {name: milliseconds(work) for name, work in page(members).items()}
    for name, taken in times.items():
        print(f"  {name:12s}{taken:7.2f} ms")
    total = sum(times.values())
    print(f"  {'together':12s}{total:7.2f} ms, {'within' if total <= BUDGET_MS else 'OVER'} {BUDGET_MS:.0f} ms")


def run_suite(suite: Path, seed: int, teams: int) -> None:
    adapter = HERE.parent / "insight_suite_adapter.py"
    command = [sys.executable, "-B", str(suite), str(adapter), "--seed", str(seed), "--teams", str(teams)]
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--teams", type=int, default=40)
    parser.add_argument("--suite", type=Path, default=SUITE)
    options = parser.parse_args()
    if options.suite.is_file():
        run_suite(options.suite, options.seed, options.teams)
    else:
        print(f"No suite at {options.suite}: what it demands is not judged.")
    print_rows(options.seed, options.teams)
    for members in (30, 100):
        print_timings(members)


if __name__ == "__main__":
    main()
