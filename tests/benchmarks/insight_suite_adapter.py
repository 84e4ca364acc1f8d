"""What `../shared/insight/suite.py` calls: the detectors of usage.anomalies, with their alarm at 1."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from usage.anomalies.detectors.common import ALARM, Floats, Hours
from usage.anomalies.detectors.latency import find_slow
from usage.anomalies.detectors.members import find_members
from usage.anomalies.detectors.periods import find_periods
from usage.anomalies.detectors.rates import find_rates

THRESHOLD = THRESHOLD_RATE = THRESHOLD_LATENCY = THRESHOLD_MEMBERS = ALARM


def detect(ts: Hours, values: Floats) -> Floats:
    return find_periods(ts, values).score


def detect_rate(ts: Hours, errors: Floats, calls: Floats) -> Floats:
    return find_rates(errors, calls).score


def detect_latency(ts: Hours, hist: Floats, edges: Floats) -> Floats:
    return find_slow(hist).score


def detect_members(ts: Hours, counts: Floats) -> Floats:
    return find_members(counts).score
