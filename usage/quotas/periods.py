"""Finds the current period of a quota and its reset, in a time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from usage.quotas.models import Period
from usage.rollups.buckets import day_of, day_start


@dataclass(frozen=True)
class PeriodDays:
    """A period of a quota: the days from `first` up to, but not including, `end`.

    Both are None for a period that never begins or ends.
    """

    zone: ZoneInfo
    first: date | None
    end: date | None

    @property
    def starts_at(self) -> datetime | None:
        """Returns the instant (UTC) at which the period begins; None if it never began."""
        return day_start(self.first, self.zone) if self.first else None

    @property
    def resets_at(self) -> datetime | None:
        """Returns the instant (UTC) at which the quota resets; None if it never does."""
        return day_start(self.end, self.zone) if self.end else None


def span_at(period: str, now: datetime, zone: ZoneInfo) -> PeriodDays:
    """Returns the period that contains `now` (timezone-aware). Weeks begin on Monday, months on the first."""
    return _span_of(period, day_of(now, zone), zone)


def span_before(period: str, span: PeriodDays) -> PeriodDays | None:
    """Returns the period before `span`; None for a period that never begins or ends."""
    return _span_of(period, span.first - timedelta(days=1), span.zone) if span.first else None


def _span_of(period: str, day: date, zone: ZoneInfo) -> PeriodDays:
    if period == Period.NONE:
        return PeriodDays(zone, None, None)
    if period == Period.DAY:
        return PeriodDays(zone, day, day + timedelta(days=1))
    if period == Period.WEEK:
        monday = day - timedelta(days=day.weekday())
        return PeriodDays(zone, monday, monday + timedelta(days=7))
    first = day.replace(day=1)
    # Day 32 of any month is in the next one.
    return PeriodDays(zone, first, (first + timedelta(days=31)).replace(day=1))
