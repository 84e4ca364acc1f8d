"""What `../shared/insight/suite.py` calls: the detectors of usage.unusual, with their alarm at 1."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from usage.unusual.common import ALARM, Floats, Hours
from usage.unusual.latency import find_slow
from usage.unusual.members import find_members
from usage.unusual.periods import find_periods
from usage.unusual.rates import find_rates

THRESHOLD = THRESHOLD_RATE = THRESHOLD_LATENCY = THRESHOLD_MEMBERS = ALARM


def detect(ts: Hours, values: Floats) -> Floats:
    return find_periods(ts, values).score


def detect_rate(ts: Hours, errors: Floats, calls: Floats) -> Floats:
    return find_rates(errors, calls).score


def detect_latency(ts: Hours, hist: Floats, edges: Floats) -> Floats:
    return find_slow(hist).score


def detect_members(ts: Hours, counts: Floats) -> Floats:
    return find_members(counts).score
