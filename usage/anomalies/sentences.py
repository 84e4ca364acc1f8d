"""Builds the sentence that describes an incident.

Its numbers are those of the rule and window that scored highest in the incident.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage.anomalies.detectors.common import Floats, Hours, Incident
from usage.anomalies.detectors.latency import LatencyScores
from usage.anomalies.detectors.members import MemberScores
from usage.anomalies.detectors.periods import RULES, PeriodScores, silence_around
from usage.anomalies.detectors.rates import RateScores
from usage.anomalies.drivers import Driver

NANOS = 1_000_000_000  # cost is counted in nano-dollars


@dataclass(frozen=True, slots=True)
class Unit:
    """How amounts are written: `named` with the noun (“240 calls”), `bare` without it, `none` for zero."""

    named: Callable[[float], str]
    bare: Callable[[float], str]
    none: Callable[[], str]
    least: float = 1.0  # below half of this an amount is written as 0, and no ratio to it is given


def _number(value: float, decimals: int = 0) -> str:
    return str(number_format(round(value, decimals), decimals, force_grouping=True))


def _short(value: float) -> str:
    """Formats a number with at most one decimal, and without a trailing zero."""
    rounded = round(value, 1)
    return _number(rounded, 0 if rounded == int(rounded) else 1)


def _about(value: float) -> str:
    """Formats a usual value with two or three digits: 2,312.4 becomes "2,310", and 2.41 becomes "2.4"."""
    if 0.5 <= abs(value) < 9.95:
        return _short(value)
    digits = max(len(str(int(abs(value)))) - 3, 0)
    return _number(round(value, -digits))


def _dollars(nanos: float) -> str:
    return f"${_number(nanos / NANOS, 2)}"


def _calls(value: float) -> str:
    return ngettext("%(number)s call", "%(number)s calls", round(value)) % {"number": _number(value)}


def _tokens(value: float) -> str:
    return ngettext("%(number)s token", "%(number)s tokens", round(value)) % {"number": _number(value)}


CALLS = Unit(_calls, _about, lambda: _("No calls"))
TOKENS = Unit(_tokens, _about, lambda: _("No tokens"))
COST = Unit(_dollars, _dollars, lambda: _("No cost"), least=NANOS / 100)


def period_sentence(scores: PeriodScores, hours: Hours, incident: Incident, unit: Unit = CALLS) -> str:
    """Returns the sentence for an incident of calls, tokens or cost, worded for the rule of its peak."""
    rule = RULES[scores.rule[incident.peak]]
    if rule == "D":
        return _silence_sentence(scores, hours, incident, unit)
    found, expected = float(scores.found[incident.peak]), float(scores.expected[incident.peak])
    span = int(scores.spans[incident.peak])
    numbers = {
        "when": _day_window(hours, incident) if rule == "Y" else _window(hours, incident.peak, span),
        "amount": unit.named(found),
        "usual": unit.bare(expected),
    }
    times = _times(found, expected, unit.least)
    if rule == "B" or times is None:
        return _("%(when)s: %(amount)s, usually %(usual)s.") % numbers
    numbers["times"] = times
    if rule == "Y":
        return _("%(when)s: %(amount)s, %(times)s× the usual %(usual)s.") % numbers
    return _("%(when)s: %(amount)s, %(times)s× the usual %(usual)s for this hour.") % numbers


def rate_sentence(scores: RateScores, hours: Hours, incident: Incident) -> str:
    """Returns the sentence for an incident of failed calls."""
    at = incident.peak
    return _("%(when)s: %(share)s of %(calls)s failed (usually %(usual)s).") % {
        "when": _window(hours, at, int(scores.spans[at])),
        "share": _percent(scores.found[at] / max(scores.calls[at], 1.0)),
        "calls": _calls(float(scores.calls[at])),
        "usual": _percent(scores.usual[at]),
    }


def latency_sentence(scores: LatencyScores, hours: Hours, incident: Incident, edges_ms: Floats) -> str:
    """Returns the sentence for an incident of slow calls.

    `edges_ms` are the upper bounds of the histogram's buckets.
    """
    at, rate = incident.peak, scores.rate
    return _("%(when)s: %(share)s of calls took longer than %(edge)s (usually %(usual)s).") % {
        "when": _window(hours, at, int(rate.spans[at])),
        "share": _percent(rate.found[at] / max(rate.calls[at], 1.0)),
        "edge": _duration(float(edges_ms[scores.edge[at]])),
        "usual": _percent(rate.usual[at]),
    }


def member_sentence(scores: MemberScores, column: int, name: str, incident: Incident) -> str:
    """Returns the sentence for an incident of one member.

    `column` is the member's index in the arrays of `scores`; the incident has the indexes of their rows.
    """
    at = (incident.peak, column)
    found, expected = float(scores.found[at]), float(scores.expected[at])
    times = _times(found, expected)
    numbers = {"name": name, "amount": _calls(found), "usual": _about(np.ceil(expected)), "times": times}
    if scores.clock[at] and expected <= 0:
        return _("%(name)s: %(amount)s in 6 h, usually none at this time of day.") % numbers
    if scores.clock[at]:
        return _("%(name)s: %(amount)s in 6 h, usually below %(usual)s at this time of day.") % numbers
    if times is None:
        return _("%(name)s: %(amount)s in 24 h, usually almost none.") % numbers
    if scores.new[at]:
        return _("%(name)s (new member): %(amount)s in 24 h, %(times)s× a busy member's day.") % numbers
    return _("%(name)s: %(amount)s in 24 h, %(times)s× their own busy day.") % numbers


def drivers_sentence(drivers: Sequence[Driver], names: Sequence[str], everything: str) -> str:
    """Returns the drivers with their shares, "ana 62%, ben 21%"; if there are none, "spread over all members".

    `everything` is the translated text "all members"; `names` are the names of all cells.
    """
    if not drivers:
        return _("spread over %(everything)s") % {"everything": everything}
    return ", ".join(f"{names[driver.cell]} {_percent(min(driver.share, 1.0))}" for driver in drivers)


def _silence_sentence(scores: PeriodScores, hours: Hours, incident: Incident, unit: Unit) -> str:
    """Returns the sentence for a silence: "since ..." while it lasts, afterwards with its start and end."""
    start, end = silence_around(scores, incident.peak)
    found, expected = float(scores.values[start:end].sum()), float(np.nansum(scores.usual[start:end]))
    numbers = {
        "when": _window(hours, end - 1, end - start),
        "since": _clock(hours[start]),
        "amount": unit.named(found),
        "none": unit.none(),
        "usual": unit.bare(expected),
    }
    if end == len(hours):
        if found > 0:
            return _("Only %(amount)s since %(since)s, usually %(usual)s by now.") % numbers
        return _("%(none)s since %(since)s, usually %(usual)s by now.") % numbers
    if found > 0:
        return _("%(when)s: only %(amount)s, usually %(usual)s.") % numbers
    return _("%(none)s %(when)s, usually %(usual)s.") % numbers


def _window(hours: Hours, last: int, span: int) -> str:
    """Formats a window of hours: one hour as "14:00 Tue", more as "02:00–06:00 Tue".

    The day is that of the start.
    """
    begin, end = _datetime(hours[max(last - span + 1, 0)]), _datetime(hours[last]) + timedelta(hours=1)
    day = format_date(begin, "D")
    return f"{begin:%H:%M} {day}" if span == 1 else f"{begin:%H:%M}–{end:%H:%M} {day}"


def _day_window(hours: Hours, incident: Incident) -> str:
    if incident.peak == len(hours) - 1:
        return _("Last 24 h")
    end = _datetime(hours[incident.peak]) + timedelta(hours=1)
    return _("24 h up to %(time)s") % {"time": format_date(end, "H:i D")}


def _clock(hour: np.datetime64) -> str:
    return f"{_datetime(hour):%H:%M}"


def _datetime(hour: np.datetime64) -> datetime:
    moment = hour.astype("datetime64[s]").item()
    assert isinstance(moment, datetime)
    return moment


def _times(found: float, expected: float, least: float = 1.0) -> str | None:
    """Returns how many times the usual value was found, as text.

    None if the usual value is almost zero, because a ratio would be meaningless.
    """
    if expected < least / 2:
        return None
    ratio = found / expected
    return _number(ratio, 1) if ratio < 10 else _about(ratio)


def _percent(share: float) -> str:
    """Formats a share as 31% or, below ten percent, with one decimal, as 2.4%."""
    percent = 100 * float(share)
    return f"{_short(percent) if percent < 9.95 else _number(percent)}%"


def _duration(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{_number(milliseconds)} ms"
    return f"{_short(milliseconds / 1000)} s"
