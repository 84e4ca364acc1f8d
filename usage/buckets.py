"""The buckets that time is cut into, on the team's own clock."""

import functools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The start, as a UTC instant, of the hour on the zone's clock that `at` (aware) is in.

    In the hour that daylight saving repeats, the two are different instants and stay apart.
    """
    local = at.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return (at - past).astimezone(UTC)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The date on the zone's calendar at `at` (aware)."""
    return at.astimezone(zone).date()


@functools.lru_cache(maxsize=4_000)  # a page asks for the same days again and again
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a day of the zone begins: midnight, or what follows where DST skips it."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def days_between(first: date, after_last: date) -> list[date]:
    """The days [first, after_last)."""
    return [date.fromordinal(day) for day in range(first.toordinal(), after_last.toordinal())]
