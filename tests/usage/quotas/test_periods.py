"""When quotas start again, in every zone there is."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.quotas.models import Period
from usage.quotas.periods import span_at, span_before

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
# Since 2012 no zone has left out a whole day; what happens then has its own test.
_SECONDS = [int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2012, 2036)]
MOMENTS = st.integers(*_SECONDS).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
RESETTING = st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH])
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@given(period=RESETTING, now=MOMENTS, zone=ZONES)
def test_now_is_in_its_period(period: Any, now: Any, zone: Any) -> None:
    span = span_at(period, now, zone)
    assert span.starts_at <= now < span.resets_at


@given(period=RESETTING, now=MOMENTS, zone=ZONES)
def test_the_next_period_begins_at_the_reset_and_the_one_before_ended_where_this_began(
    period: Any, now: Any, zone: Any
) -> None:
    span = span_at(period, now, zone)
    following = span_at(period, span.resets_at, zone)
    assert following.starts_at == span.resets_at
    assert span_before(period, following) == span
    assert span_at(period, span.resets_at - timedelta(microseconds=1), zone) == span


@given(period=RESETTING, now=MOMENTS, zone=ZONES)
def test_a_period_has_the_days_of_its_name(period: Any, now: Any, zone: Any) -> None:
    span = span_at(period, now, zone)
    days = (span.end - span.first).days
    assert days in {Period.DAY: {1}, Period.WEEK: {7}, Period.MONTH: {28, 29, 30, 31}}[period]
    assert period != Period.WEEK or span.first.weekday() == 0
    assert period != Period.MONTH or (span.first.day, span.end.day) == (1, 1)


def test_no_period_never_resets_and_has_no_past() -> None:
    span = span_at(Period.NONE, utc(2026, 11, 23), BERLIN)
    assert (span.starts_at, span.resets_at, span_before(Period.NONE, span)) == (None, None, None)


@pytest.mark.parametrize(
    ("period", "zone", "now", "resets_at"),
    [
        (Period.DAY, "Europe/Berlin", utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 23)),  # 25 hours
        (Period.DAY, "Europe/Berlin", utc(2026, 3, 28, 23, 30), utc(2026, 3, 29, 22)),  # 23 hours
        (Period.DAY, "Asia/Kolkata", utc(2026, 11, 23, 18, 29), utc(2026, 11, 23, 18, 30)),
        (Period.WEEK, "Asia/Kolkata", utc(2026, 11, 22, 18, 30), utc(2026, 11, 29, 18, 30)),
        (Period.MONTH, "Pacific/Auckland", utc(2026, 11, 30, 10, 59), utc(2026, 11, 30, 11)),
        (Period.MONTH, "UTC", utc(2028, 2, 29), utc(2028, 3, 1)),
        (Period.MONTH, "UTC", utc(2026, 12, 31, 23, 59), utc(2027, 1, 1)),
    ],
)
def test_resets_follow_the_clock_on_the_wall(
    period: Period, zone: str, now: datetime, resets_at: datetime
) -> None:
    assert span_at(period, now, ZoneInfo(zone)).resets_at == resets_at


def test_a_day_that_a_zone_left_out_is_a_day_without_length_between_two_others() -> None:
    # Samoa went from 29 to 31 December 2011 across the date line.
    span = span_at(Period.DAY, utc(2011, 12, 30, 9, 59), ZoneInfo("Pacific/Apia"))
    assert (span.first, span.resets_at) == (date(2011, 12, 29), utc(2011, 12, 30, 10))
