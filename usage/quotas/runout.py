"""Computes when a quota will be used up at the current pace, and writes it as sentences.

The pace is the use per day over the last seven days, including today so far. If the use began later, the days
since then count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formatting import money
from usage.quotas.daily import DayUse, used_by_day
from usage.quotas.levels import LevelState
from usage.rollups.buckets import day_of, day_start

WINDOW_DAYS = 7
_DAY = timedelta(days=1)
# The pace of a week allows no prediction beyond this.
_FARTHEST = timedelta(days=2 * 365)


@dataclass(frozen=True)
class RunOut:
    """When a quota level with a limit will be used up, at a given pace."""

    state: LevelState
    per_day_nanos: int
    ends_at: datetime | None  # when it will be used up; None: not before the reset, or not within two years
    expected_nanos: int | None  # the use expected at the reset; None if it never resets


def run_out(state: LevelState, per_day_nanos: int, now: datetime) -> RunOut | None:
    """Returns when a quota level will be used up at a pace; None if it has no limit."""
    left = state.available_nanos
    if left is None:
        return None
    expected = None
    if state.resets_at:
        rest = (state.resets_at - now) / _DAY
        expected = state.used_nanos + state.reserved_nanos + int(per_day_nanos * rest)
    ends_at = _end(left, per_day_nanos, now)
    if ends_at and state.resets_at and ends_at >= state.resets_at:
        ends_at = None
    return RunOut(state, per_day_nanos, ends_at, expected)


def _end(left: int, per_day: int, now: datetime) -> datetime | None:
    if left == 0:
        return now
    if per_day == 0 or left / per_day > _FARTHEST / _DAY:
        return None
    return now + left / per_day * _DAY


def paces(states: Sequence[LevelState], mode: int, now: datetime) -> list[int]:
    """Returns the pace of each quota level in nano-dollars per day. Runs one SQL statement."""
    days = used_by_day({state.key(mode): pace_since(state.zone, now) for state in states})
    return [pace_of(days[state.key(mode)], state.zone, now) for state in states]


def pace_since(zone: ZoneInfo, now: datetime) -> date:
    """Returns the first of the seven days of which the pace is computed."""
    return day_of(now, zone) - (WINDOW_DAYS - 1) * _DAY


def pace_of(days: Iterable[DayUse], zone: ZoneInfo, now: datetime) -> int:
    """Returns the pace in nano-dollars per day, from the use by day.

    The time counts from the first day with use among the last seven until now, but as one day at least.
    """
    since = pace_since(zone, now)
    recent = {one.day: one.used_nanos for one in days if one.day >= since}
    if not recent:
        return 0
    began = day_start(min(recent), zone)
    return int(sum(recent.values()) / max(1.0, (now - began) / _DAY))


# --- Sentences ----------------------------------------------------------------------------------


def sentences(state: LevelState, per_day_nanos: int, now: datetime) -> list[str]:
    """Returns sentences about when a quota level resets and when it will be used up; none if it has no limit."""
    out = run_out(state, per_day_nanos, now)
    return [reset_sentence(state, now), pace_sentence(out)] if out else []


def sentences_now(state: LevelState, mode: int, now: datetime) -> list[str]:
    """Returns the same as `sentences`, with the current pace. Runs one SQL statement."""
    return sentences(state, paces([state], mode, now)[0], now)


def reset_sentence(state: LevelState, now: datetime) -> str:
    """Returns a sentence such as “Resets in 6 days, on 1 December.”"""
    if state.resets_at is None:
        return _("Never resets.")
    days = (day_of(state.resets_at, state.zone) - day_of(now, state.zone)).days
    on = _date(state.resets_at, state.zone)
    if days < 1:
        return _("Resets today.")
    if days == 1:
        return _("Resets tomorrow, on %(date)s.") % {"date": on}
    return _("Resets in %(days)d days, on %(date)s.") % {"days": days, "date": on}


def pace_sentence(out: RunOut) -> str:
    """Returns a sentence such as “At $4.10 a day, the quota ends on 28 November, 3 days before the reset.”"""
    state, zone = out.state, out.state.zone
    if state.available_nanos == 0:
        return _used_up(state)
    if out.per_day_nanos == 0:
        return _("Nothing was used in the last %(days)d days.") % {"days": WINDOW_DAYS}
    pace = {"pace": money(out.per_day_nanos)}
    if out.ends_at is None:
        if out.expected_nanos is None:
            return _("At %(pace)s a day, the quota lasts for more than two years.") % pace
        expected = pace | {"expected": money(out.expected_nanos)}
        return _("At %(pace)s a day, %(expected)s will be used by the reset.") % expected
    told = pace | {"date": _date(out.ends_at, zone)}
    if state.resets_at is None:
        return _("At %(pace)s a day, the quota ends on %(date)s.") % told
    days = (day_of(state.resets_at, zone) - day_of(out.ends_at, zone)).days
    if days == 0:
        return _("At %(pace)s a day, the quota ends on %(date)s, hours before the reset.") % told
    sentence = ngettext(
        "At %(pace)s a day, the quota ends on %(date)s, %(days)d day before the reset.",
        "At %(pace)s a day, the quota ends on %(date)s, %(days)d days before the reset.",
        days,
    )
    return sentence % (told | {"days": days})


def _used_up(state: LevelState) -> str:
    if state.resets_at is None:
        return _("Nothing is left. Never resets.")
    return _("Nothing is left until %(date)s.") % {"date": _date(state.resets_at, state.zone)}


def _date(at: datetime, zone: ZoneInfo) -> str:
    """Formats an instant as a date in the zone, such as “28 November”."""
    return format_date(at.astimezone(zone), "j F")
