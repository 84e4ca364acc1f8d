"""A team that changes its clock: its days are cut again, and the page says from when on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logs.models import KeptCalls
from teams.actions.teams import update_team
from teams.activity import Actor
from tests.conftest import Cast
from tests.usage.anomalies.conftest import NOW, at_noon, happen, tokens  # noqa: F401
from tests.usage.conftest import text_of
from usage.rollups.models import ClockChange, DayModel

NOTE = "Harbour changed its time zone from Europe/Berlin"


@pytest.fixture
def change_clock(cast: Cast, at_noon: None) -> Callable[..., None]:  # noqa: F811
    def change(zone: str = "Asia/Tokyo") -> None:
        update_team(by=Actor(cast.owner), team=cast.team, name="Harbour", description="", time_zone=zone)
        cast.team.refresh_from_db()

    return change


def test_days_are_cut_again_and_nothing_needs_to_be_told(
    cast: Cast,
    happen: Callable[..., None],  # noqa: F811
    change_clock: Callable[..., None],
    see: Callable[..., Any],
) -> None:
    happen("owner", 5, at=datetime(2026, 11, 18, 20, tzinfo=UTC))  # the 19th in Tokyo
    assert DayModel.objects.get(team_id=cast.team.pk).day.day == 18
    change_clock()
    assert DayModel.objects.get(team_id=cast.team.pk).day.day == 19
    assert NOTE not in text_of(see("owner", "overview", "from=2026-01-01&to=2026-11-20"))


def test_where_calls_are_no_longer_kept_the_page_says_from_when_on(
    cast: Cast,
    happen: Callable[..., None],  # noqa: F811
    change_clock: Callable[..., None],
    see: Callable[..., Any],
) -> None:
    happen("owner", 5)
    KeptCalls.objects.create(team_id=cast.team.pk, since=NOW - timedelta(days=181))
    change_clock()
    happened = ClockChange.objects.get()
    assert (happened.before, happened.exact_from.isoformat()) == ("Europe/Berlin", "2026-05-24")
    assert NOTE in text_of(see("owner", "overview", "from=2026-01-01&to=2026-11-20"))
    assert "Days before 24 May 2026" in text_of(see("owner", "overview", "from=2026-01-01&to=2026-11-20"))
    assert NOTE not in text_of(see("owner", "overview", "period=90d"))


def test_after_a_second_change_old_days_are_still_those_of_the_first_clock(
    cast: Cast,
    happen: Callable[..., None],  # noqa: F811
    change_clock: Callable[..., None],
    see: Callable[..., Any],
) -> None:
    happen("owner", 5)
    KeptCalls.objects.create(team_id=cast.team.pk, since=NOW - timedelta(days=181))
    change_clock()
    change_clock("America/New_York")
    assert NOTE in text_of(see("owner", "overview", "from=2026-01-01&to=2026-11-20"))


def test_nothing_is_told_when_old_days_are_those_of_the_present_clock_again(
    cast: Cast,
    happen: Callable[..., None],  # noqa: F811
    change_clock: Callable[..., None],
    see: Callable[..., Any],
) -> None:
    happen("owner", 5)
    KeptCalls.objects.create(team_id=cast.team.pk, since=NOW - timedelta(days=181))
    for zone in ("Asia/Tokyo", "America/New_York", "Europe/Berlin"):
        change_clock(zone)
    assert "changed its clock" not in text_of(see("owner", "overview", "from=2026-01-01&to=2026-11-20"))


def test_where_old_days_are_of_several_clocks_none_is_named(
    cast: Cast,
    happen: Callable[..., None],  # noqa: F811
    change_clock: Callable[..., None],
    see: Callable[..., Any],
) -> None:
    happen("owner", 5)
    KeptCalls.objects.create(team_id=cast.team.pk, since=NOW - timedelta(days=181))
    change_clock()
    KeptCalls.objects.update(since=NOW - timedelta(days=150))
    change_clock("Europe/Berlin")
    page = text_of(see("owner", "overview", "from=2026-01-01&to=2026-11-20"))
    assert "Harbour changed its time zone more than once. Days before 24 Jun 2026 still follow earlier" in page
    change_clock()
    assert ClockChange.objects.get().before == ""
