"""Buckets of time on the team's own clock."""

import functools
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
# Where days begin first: no clock is further ahead.
_EARLIEST_DAYS = timezone(timedelta(hours=14))


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The start, as a UTC instant, of the hour on the zone's clock that contains `at` (aware).

    The hour that daylight saving repeats is two different instants, which stay apart. Where the clock changes
    by half an hour, as on Lord Howe, an hour ends at the change and the next one begins, so both may be
    shorter.
    """
    at = at.astimezone(UTC)  # of times of a zone only the clock's hands would be turned back
    local = at.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    start = at - past
    # No full hour there: since then the clock was changed, and not by whole hours.
    return _last_change(start, at, zone) if past and start.astimezone(zone).minute else start


def _last_change(before: datetime, at: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) in (before, at] from which on the zone has the offset of `at`; offsets change on whole
    minutes.
    """
    offset = at.astimezone(zone).utcoffset()
    low, high = 0, -(-(at - before) // MINUTE)  # minutes since `before`: another offset, this offset
    while high - low > 1:
        middle = (low + high) // 2
        if (before + middle * MINUTE).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return before + high * MINUTE


def instant_of(there: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a time on the zone's clock; the first one of a time that occurs twice.

    A time that the clock skips is read as the moment at which the clock goes on.
    """
    first, second = (there.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return _last_change(second.replace(second=0, microsecond=0), first, zone) if second < first else first


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The date on the zone's calendar at `at` (aware)."""
    return at.astimezone(zone).date()


@functools.lru_cache(maxsize=4_000)  # a page asks for the same days again and again
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a day of the zone begins: midnight, or the first moment after it if DST skips
    midnight.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def first_whole_day(since: datetime, zone: ZoneInfo) -> date:
    """The first day of the zone's calendar that begins at `since` or later."""
    day = day_of(since, zone)
    return day if day_start(day, zone) == since else day + timedelta(days=1)


def first_day_anywhere(since: datetime) -> date:
    """The first date that lies completely after `since` in every time zone."""
    return since.astimezone(_EARLIEST_DAYS).date() + timedelta(days=1)


def days_between(first: date, after_last: date) -> list[date]:
    """The days [first, after_last)."""
    return [date.fromordinal(day) for day in range(first.toordinal(), after_last.toordinal())]
