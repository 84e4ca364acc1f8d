"""Weeks in a team's time zone, from Monday to Sunday."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from usage.rollups.buckets import day_of, day_start
from usage.rollups.query import Range


@dataclass(frozen=True)
class Week:
    """One week, identified by the date of its Monday."""

    monday: date
    zone: ZoneInfo

    @property
    def before(self) -> date:
        """Returns the Monday of the previous week."""
        return self.monday - timedelta(weeks=1)

    @property
    def range(self) -> Range:
        end = day_start(self.monday + timedelta(weeks=1), self.zone)
        return Range(day_start(self.monday, self.zone), end)


def week_of(at: datetime, zone: ZoneInfo) -> Week:
    """Returns the week that contains the instant `at`."""
    day = day_of(at, zone)
    return Week(day - timedelta(days=day.weekday()), zone)
