"""What is asked: presets and buckets on the team's own clock, also where that jumps or is half an hour off."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teams.models import Mode, Team
from usage.rollups.query import (
    PRESETS,
    Granularity,
    Range,
    UsageQuery,
    automatic_granularity,
    preceding,
    preset_ranges,
)

instants = st.integers(0, 10 * 365 * 86400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(0, seconds)
)
BERLIN, KOLKATA, LORD_HOWE, NEW_YORK = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("America/New_York"),
)
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
         "America/St_Johns", "Africa/Cairo", "America/Havana", "Pacific/Apia", "UTC"]  # fmt: skip


def local(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def span(name: str, now: str, zone: ZoneInfo = BERLIN) -> tuple[datetime, ...]:
    asked, before = preset_ranges(name, local(now, zone), zone)
    return asked.start, asked.end, before.start, before.end


def query(start: str, end: str, granularity: Granularity, zone: ZoneInfo = BERLIN) -> UsageQuery:
    team = Team(name="Harbour", slug="harbour", time_zone=str(zone))
    return UsageQuery(
        team=team, mode=Mode.LIVE, range=Range(local(start, zone), local(end, zone)), granularity=granularity
    )


# --- Presets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("24h", ["2026-11-19T15:00", "2026-11-20T15:00", "2026-11-18T15:00", "2026-11-19T15:00"]),
        ("7d", ["2026-11-13T15:00", "2026-11-20T15:00", "2026-11-06T15:00", "2026-11-13T15:00"]),
        ("30d", ["2026-10-22T00:00", "2026-11-20T15:00", "2026-09-22T00:00", "2026-10-21T15:00"]),
        ("90d", ["2026-08-23T00:00", "2026-11-20T15:00", "2026-05-25T00:00", "2026-08-22T15:00"]),
        ("month", ["2026-11-01T00:00", "2026-11-20T15:00", "2026-10-01T00:00", "2026-10-20T15:00"]),
        ("last-month", ["2026-10-01T00:00", "2026-11-01T00:00", "2026-09-01T00:00", "2026-10-01T00:00"]),
    ],
)
def test_a_preset_ends_with_the_current_hour_and_is_compared_with_the_same_share_of_the_one_before(
    name: str, edges: list[str]
) -> None:
    assert span(name, "2026-11-20T14:23") == tuple(map(local, edges))


def test_last_month_in_january_is_december() -> None:
    assert span("last-month", "2027-01-05T10:00")[0] == local("2026-12-01T00:00")


def test_a_month_is_not_compared_with_more_than_the_month_before() -> None:
    start, _end, before, before_end = span("month", "2026-03-31T23:59")
    assert (before, before_end) == (local("2026-02-01T00:00"), start)


def test_a_day_that_is_an_hour_short_or_long_is_a_day() -> None:
    start, end, *_before = span("24h", "2026-03-29T12:10")
    assert end - start == timedelta(hours=23)
    start, end, *_before = span("24h", "2026-10-25T12:10")
    assert end - start == timedelta(hours=25)


def test_half_hour_zones_have_hours_of_their_own() -> None:
    start, end, *_before = span("24h", "2026-11-20T14:23", KOLKATA)
    assert (end.minute, start.minute) == (30, 30)
    assert end == local("2026-11-20T15:00", KOLKATA)


@given(
    now=instants,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    name=st.sampled_from(list(PRESETS)),
)
def test_ranges_are_never_empty_nor_overlap_and_hold_the_present(now: Any, zone: Any, name: Any) -> None:
    asked, before = preset_ranges(name, now, zone)
    assert asked.start < asked.end
    assert before.start < before.end <= asked.start
    if name != "last-month":
        assert now in asked
        assert asked.end - now <= timedelta(hours=1)


def test_the_period_before_a_custom_range_is_as_long_and_right_before() -> None:
    asked = Range(local("2026-11-01T00:00"), local("2026-11-04T12:00"))
    assert preceding(asked, BERLIN) == Range(asked.start - timedelta(hours=84), asked.start)


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2026-10-19T00:00", "2026-10-26T00:00", "2026-10-12T00:00"),  # 169 hours
        ("2026-10-26T00:00", "2026-11-02T00:00", "2026-10-19T00:00"),  # after 169
        ("2026-03-30T09:00", "2026-04-01T09:00", "2026-03-28T09:00"),
        ("2026-10-25T01:30", "2026-10-25T04:30", "2026-10-24T21:30"),  # hours of less than a day are hours
    ],
)
def test_the_period_before_a_custom_range_of_days_begins_at_the_same_time_of_day(
    start: str, end: str, before: str
) -> None:
    asked = Range(local(start), local(end))
    assert preceding(asked, BERLIN) == Range(local(before), asked.start)


@given(
    start=instants, length=st.timedeltas(timedelta(minutes=1), timedelta(days=40)), zone=st.sampled_from(ZONES)
)
def test_the_period_before_a_custom_range_is_never_empty(start: Any, length: Any, zone: Any) -> None:
    before = preceding(Range(start, start + length), ZoneInfo(zone))
    assert before.end == start
    assert abs(before.length - length) <= timedelta(hours=1)


def test_this_month_is_compared_up_to_the_same_time_of_day_when_the_clock_is_changed() -> None:
    _start, end, _before, before_end = span("month", "2026-11-26T17:10", NEW_YORK)
    assert (end, before_end) == (local("2026-11-26T18:00", NEW_YORK), local("2026-10-26T18:00", NEW_YORK))


@pytest.mark.parametrize(
    ("days", "granularity"),
    [(1, "hour"), (8, "hour"), (9, "day"), (93, "day"), (94, "week"), (731, "week"), (732, "month")],
)
def test_the_automatic_step_keeps_charts_readable(days: int, granularity: str) -> None:
    start = local("2026-01-01T00:00")
    assert automatic_granularity(Range(start, start + timedelta(days=days))) == granularity


# --- Buckets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-20", 24)])
def test_a_day_has_the_hours_that_its_clock_shows(day: str, hours: int) -> None:
    buckets = query(f"{day}T00:00", f"{day}T23:59", Granularity.HOUR).buckets()
    assert len(buckets) == len(set(buckets)) == hours


def test_the_repeated_hour_is_two_buckets() -> None:
    buckets = query("2026-10-25T00:00", "2026-10-25T12:00", Granularity.HOUR).buckets()
    assert local("2026-10-25T02:00", fold=0) in buckets
    assert local("2026-10-25T02:00", fold=1) in buckets


def test_a_half_hour_shift_leaves_no_hole() -> None:
    asked = query("2026-10-03T22:00", "2026-10-04T06:00", Granularity.HOUR, LORD_HOWE)
    buckets = asked.buckets()
    steps = {after - start for start, after in pairwise(buckets)}
    assert steps <= {timedelta(hours=1), timedelta(minutes=30)}
    assert buckets[-1] < asked.range.end <= buckets[-1] + timedelta(hours=1)


def test_days_begin_at_midnight_of_the_team() -> None:
    assert query("2026-10-24T10:00", "2026-10-26T10:00", Granularity.DAY).buckets() == [
        local("2026-10-24T00:00"),
        local("2026-10-25T00:00"),
        local("2026-10-26T00:00"),
    ]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert query("2026-11-20T10:00", "2026-12-01T10:00", Granularity.WEEK).buckets() == [
        local("2026-11-16T00:00"), local("2026-11-23T00:00"), local("2026-11-30T00:00"),
    ]  # fmt: skip
    assert query("2026-01-31T10:00", "2026-03-01T00:01", Granularity.MONTH).buckets() == [
        local("2026-01-01T00:00"), local("2026-02-01T00:00"), local("2026-03-01T00:00"),
    ]  # fmt: skip


@given(
    start=instants,
    hours=st.integers(1, 24 * 60),
    granularity=st.sampled_from(list(Granularity)),
    zone=st.sampled_from(ZONES),
)
def test_buckets_ascend_and_cover_the_range(start: Any, hours: int, granularity: Any, zone: Any) -> None:
    team = Team(name="Harbour", slug="harbour", time_zone=zone)
    asked = Range(start, start + timedelta(hours=hours))
    buckets = UsageQuery(team=team, mode=Mode.LIVE, range=asked, granularity=granularity).buckets()
    assert all(one < other for one, other in pairwise(buckets))
    assert buckets[0] <= start
    assert buckets[-1] < asked.end
    longest = {"hour": timedelta(hours=1)}.get(granularity, timedelta(days=31, hours=2))
    assert asked.end - buckets[-1] <= longest
