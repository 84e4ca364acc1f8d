"""Finds the hours and days of a team's time zone that contain an instant, and the instants at which they begin."""

import functools
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
# The time zone in which each day begins first: no clock is further ahead of UTC.
_EARLIEST_DAYS = timezone(timedelta(hours=14))


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """Returns the start (UTC) of the clock hour in `zone` that contains `at`, which must be timezone-aware.

    When daylight saving ends, the clock shows one hour twice. These are two hours with different starts. Where
    the clock changes by half an hour (Lord Howe Island), the hour before the change ends at the change, and a
    new hour begins there, so both can be shorter than 60 minutes.
    """
    at = at.astimezone(UTC)  # in a local zone, subtraction would ignore changes of the UTC offset
    local = at.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    start = at - past
    # If that is not a full hour on the clock, the offset has changed since, and not by whole hours.
    return _last_change(start, at, zone) if past and start.astimezone(zone).minute else start


def _last_change(before: datetime, at: datetime, zone: ZoneInfo) -> datetime:
    """Returns the instant (UTC) of the change to the UTC offset that `zone` has at `at`. It must be in (before,
    at].

    It is found by bisection in whole minutes, because offsets change on whole minutes.
    """
    offset = at.astimezone(zone).utcoffset()
    low, high = (
        0,
        -(-(at - before) // MINUTE),
    )  # in minutes since `before`; only at `high` the offset is that of `at`
    while high - low > 1:
        middle = (low + high) // 2
        if (before + middle * MINUTE).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return before + high * MINUTE


def instant_of(there: datetime, zone: ZoneInfo) -> datetime:
    """Converts a naive local time of `zone` to an instant in UTC.

    A time that the clock shows twice gives the first of the two instants. A time that the clock skips gives the
    instant of the clock change.
    """
    first, second = (there.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return _last_change(second.replace(second=0, microsecond=0), first, zone) if second < first else first


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """Returns the date that the calendar of `zone` shows at `at`, which must be timezone-aware."""
    return at.astimezone(zone).date()


@functools.lru_cache(maxsize=4_000)  # a page asks for the same days again and again
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Returns the instant (UTC) at which `day` begins in `zone`: midnight or, if daylight saving skips
    midnight, the first moment after it.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def first_whole_day(since: datetime, zone: ZoneInfo) -> date:
    """Returns the first date in `zone` whose day begins at `since` or later."""
    day = day_of(since, zone)
    return day if day_start(day, zone) == since else day + timedelta(days=1)


def first_day_anywhere(since: datetime) -> date:
    """Returns the first date whose day begins after `since` in every time zone."""
    return since.astimezone(_EARLIEST_DAYS).date() + timedelta(days=1)


def days_between(first: date, after_last: date) -> list[date]:
    """Lists the dates from `first` up to, but not including, `after_last`."""
    return [date.fromordinal(day) for day in range(first.toordinal(), after_last.toordinal())]
