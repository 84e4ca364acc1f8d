"""The hours that time is cut into, also where the clock is changed by half an hour or within one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs.recording.facts import LocalTimes
from usage.rollups.buckets import day_of, day_start, hour_of, instant_of
from usage.rollups.query import Granularity, bucket_start, next_bucket

LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
# Instants at which clocks were changed, which instants at random would miss.
WHOLE = [
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("America/St_Johns", "2026-03-08T05:30"),
    ("America/St_Johns", "2010-11-07T02:31"),  # at 00:01
    ("America/Havana", "2026-11-01T05:00"),  # at midnight
    ("Africa/Cairo", "2026-04-23T22:00"),
    ("Pacific/Chatham", "2026-04-04T14:00"),  # at a quarter to an hour
    ("Pacific/Chatham", "2026-09-26T14:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),  # by a day
    ("Asia/Kathmandu", "2026-01-01T00:00"),  # never
]
BY_HALF = [
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("America/Caracas", "2007-12-09T07:00"),
    ("America/Caracas", "2016-05-01T07:00"),
    ("Asia/Pyongyang", "2015-08-14T15:00"),
    ("Asia/Pyongyang", "2018-05-04T15:00"),
    ("Pacific/Norfolk", "2015-10-03T14:30"),
]


@st.composite
def moments(draw: Any, changes: list[tuple[str, str]]) -> tuple[datetime, ZoneInfo]:
    """An instant, mostly one within two hours of a change of the zone's clock."""
    zone, change = draw(st.sampled_from(changes))
    near = st.integers(-7200, 7200) | st.integers(-8, 8).map(lambda quarters: quarters * 900)
    seconds = draw(near | st.integers(-10 * 365 * 86400, 10 * 365 * 86400))
    return utc(change) + timedelta(0, seconds, draw(st.sampled_from([0, 0, 1, 999_999]))), ZoneInfo(zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "start"),
    [
        # 02:00 becomes 02:30.
        ("2026-10-03T15:29:59.999999", "2026-10-03T14:30"),
        ("2026-10-03T15:30", "2026-10-03T15:30"),
        ("2026-10-03T15:59", "2026-10-03T15:30"),
        ("2026-10-03T16:00", "2026-10-03T16:00"),
        # 02:00 becomes 01:30.
        ("2026-04-04T14:59:59", "2026-04-04T14:00"),
        ("2026-04-04T15:00", "2026-04-04T15:00"),
        ("2026-04-04T15:29", "2026-04-04T15:00"),
        ("2026-04-04T15:30", "2026-04-04T15:30"),
    ],
)
def test_a_change_of_the_clock_by_half_an_hour_begins_an_hour(at: str, start: str) -> None:
    assert hour_of(utc(at), LORD_HOWE) == utc(start)
    assert LocalTimes(LORD_HOWE)(utc(at))[0] == utc(start)
    assert bucket_start(utc(at), Granularity.HOUR, LORD_HOWE) == utc(start)


def test_the_repeated_hour_is_found_from_a_time_of_the_zone_too() -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 10, 25, 2, 30, tzinfo=zone)
    assert hour_of(at, zone) == utc("2026-10-25T00:00")
    assert hour_of(at.replace(fold=1), zone) == utc("2026-10-25T01:00")


@given(moments(WHOLE + BY_HALF))
def test_each_instant_is_in_one_hour_only(moment: Any) -> None:
    at, zone = moment
    start = hour_of(at, zone)
    after = next_bucket(start, Granularity.HOUR, zone)
    assert start <= at < after <= start + timedelta(hours=1)
    assert hour_of(start, zone) == start
    assert hour_of(after, zone) == after
    assert hour_of(after - timedelta(microseconds=1), zone) == start
    assert LocalTimes(zone)(at)[0] == start


@given(moments(WHOLE))
def test_where_clocks_are_changed_by_whole_hours_an_hour_begins_when_the_minutes_do(moment: Any) -> None:
    at, zone = moment
    local = at.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    assert hour_of(at, zone) == at - past


@given(moments(BY_HALF))
def test_an_hour_ends_when_the_clock_is_changed_by_half_of_one(moment: Any) -> None:
    at, zone = moment
    assert hour_of(at, zone).astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()


@pytest.mark.parametrize(("name", "change"), [*WHOLE, *BY_HALF])
def test_every_time_of_a_clock_is_an_instant_and_those_it_skips_are_that_of_the_change(
    name: Any, change: Any
) -> None:
    zone, changed = ZoneInfo(name), datetime.fromisoformat(change).replace(tzinfo=UTC)
    for minutes in range(-180, 180, 7):
        at = changed + timedelta(minutes=minutes)
        there = at.astimezone(zone)
        assert (instant_of(there.replace(tzinfo=None, fold=0), zone) == at) is (there.fold == 0)
    before = (changed - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None) + timedelta(minutes=1)
    skipped = changed.astimezone(zone).replace(tzinfo=None) - before
    for part in (0, 0.25, 0.5, 0.99):
        if skipped > timedelta(0):
            assert instant_of(before + part * skipped, zone) == changed
    day = day_of(changed, zone)
    midnight = datetime.fromisoformat(day.isoformat())
    assert instant_of(midnight, zone) == day_start(day, zone)
