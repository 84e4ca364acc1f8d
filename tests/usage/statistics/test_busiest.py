"""The busiest hours of the week on the overview."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.anomalies.conftest import LUNCH, at_noon, happen, tokens  # noqa: F401
from usage.rollups.buckets import day_of
from usage.rollups.folding import Fact, add_calls
from usage.rollups.query import Granularity, Range, UsageQuery
from usage.statistics.busiest import Busiest, busiest_hours
from usage.statistics.overview import overview


@pytest.fixture
def busiest(cast: Cast, happen: Callable[..., None]) -> Callable[..., Busiest | None]:  # noqa: F811
    """Forty calls on Thursday at 12:00 of this week, twenty of the one before."""
    happen("owner", 40)
    happen("member", 20, at=LUNCH - timedelta(weeks=1))

    def ask(days: int, granularity: Granularity = Granularity.DAY, **filters: Any) -> Busiest | None:
        end = datetime(2026, 11, 20, 12, tzinfo=UTC)
        within = Range(end - timedelta(days=days), end)
        query = UsageQuery(cast.team, Mode.LIVE, within, granularity=granularity, **filters)
        return busiest_hours(query, overview(query))

    return ask


@pytest.mark.parametrize(("days", "calls"), [(7, 40), (14, 30), (28, 15)])
@pytest.mark.parametrize("granularity", [Granularity.HOUR, Granularity.DAY])
def test_calls_are_averaged_over_the_weeks(
    busiest: Callable[..., Busiest | None], days: int, calls: int, granularity: Granularity
) -> None:
    found = busiest(days, granularity)
    assert found.summary == f"Thu 12:00: {calls} calls"
    assert found.days[3][1][12].shade == 5
    assert found.days[0][1][12].shade == 0


def test_one_call_is_one_call(cast: Cast, happen: Callable[..., None]) -> None:  # noqa: F811
    happen("owner", 1)
    end = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for weeks, words in ((1, "1 call"), (2, "0.5 calls")):
        query = UsageQuery(cast.team, Mode.LIVE, Range(end - timedelta(weeks=weeks), end))
        found = busiest_hours(query, overview(query))
        assert found.summary == f"Thu 12:00: {words}"
        assert found.days[0][1][0].label == "Mon 00:00: 0 calls"


def test_filters_by_model_or_member_are_known_by_the_hour_and_others_are_not(
    busiest: Callable[..., Busiest | None],
    cast: Cast,
    tokens: dict[str, Token],  # noqa: F811
) -> None:
    assert busiest(14, members=(cast.member.pk,)).summary == "Thu 12:00: 10 calls"
    assert busiest(14, models=("gpt-4o-mini",)).summary == "Thu 12:00: 30 calls"
    assert busiest(14, models=("other",)).summary == ""
    assert busiest(14, tokens=(tokens["owner"].pk,)) is None


@pytest.fixture
def every_hour(cast: Cast) -> Callable[..., Busiest | None]:
    """The averages of a range on a zone's clock that has three calls in every hour."""

    def ask(start: str, end: str, zone: str, granularity: Granularity = Granularity.DAY) -> Busiest | None:
        cast.team.time_zone = zone
        cast.team.save()
        edges = (
            datetime.fromisoformat(at).replace(tzinfo=cast.team.zone).astimezone(UTC) for at in (start, end)
        )
        query = UsageQuery(cast.team, Mode.LIVE, Range(*edges), granularity=granularity)
        values: dict[str, Any] = dict.fromkeys(Fact._fields, 0)
        one = Fact(**values | {"member_id": cast.owner.pk, "model": "gpt-4o-mini"})
        hours = replace(query, granularity=Granularity.HOUR).buckets()
        facts = [one._replace(hour=at, day=day_of(at, query.zone)) for at in hours for _call in range(3)]
        add_calls(team_id=cast.team.pk, mode=Mode.LIVE, facts=facts)
        return busiest_hours(query, overview(query))

    return ask


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("2026-10-01", "2026-11-01", "Europe/Berlin"),
        ("2026-10-19T05:00", "2026-10-27T03:00", "Europe/Berlin"),
        ("2026-03-20T17:00", "2026-04-10T09:00", "Europe/Berlin"),
        ("2026-03-01", "2026-12-01", "America/New_York"),
        ("2026-04-20", "2026-05-04", "Africa/Cairo"),  # midnight is skipped
        ("2026-03-30", "2026-04-20", "Australia/Lord_Howe"),
        ("2026-09-20", "2026-10-20", "Australia/Lord_Howe"),
        ("2026-09-20", "2026-10-20", "Pacific/Chatham"),
        ("2026-03-01", "2026-04-01", "Asia/Kolkata"),
    ],
)
def test_as_many_calls_in_every_hour_are_the_average_of_every_hour_when_the_clock_is_changed(
    every_hour: Callable[..., Busiest | None], start: str, end: str, zone: str
) -> None:
    found = every_hour(start, end, zone)
    assert {slot.calls for _day, slots in found.days for slot in slots} == {3}


def test_an_hour_that_daylight_saving_skips_has_no_calls_on_average(
    every_hour: Callable[..., Busiest | None],
) -> None:
    found = every_hour("2026-03-22T12:00", "2026-03-30", "Europe/Berlin", Granularity.HOUR)
    assert [slot.calls for slot in found.days[6][1]] == [3, 3, 0, *[3] * 21]


def test_a_week_on_the_clock_that_daylight_saving_makes_an_hour_shorter_is_a_week(
    every_hour: Callable[..., Busiest | None],
) -> None:
    found = every_hour("2026-03-24T09:00", "2026-03-31T09:00", "Europe/Berlin", Granularity.HOUR)
    assert [slot.calls for slot in found.days[6][1]] == [3, 3, 0, *[3] * 21]
    assert every_hour("2026-03-24T09:00", "2026-03-31T08:00", "Europe/Berlin", Granularity.HOUR) is None


def test_less_than_a_week_has_no_busiest_hours(busiest: Callable[..., Busiest | None]) -> None:
    assert busiest(6) is None


def test_the_overview_shows_them(
    cast: Cast,
    busiest: Callable[..., Busiest | None],
    client_of: Callable[..., Client],
    at_noon: None,  # noqa: F811
) -> None:
    html = client_of("owner").get(f"/t/{cast.team.slug}/").content.decode()
    assert "Busiest hours of the week" in html
    assert "Thu 12:00: 40 calls" in html
