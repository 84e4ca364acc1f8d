"""Times in the addresses that lead to calls."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from usage.parameters.forms import InstantField
from usage.rollups.query import on_the_clock


@pytest.mark.parametrize("hours", range(8))
def test_a_time_in_a_link_names_its_instant_also_where_the_clock_repeats_an_hour(hours: Any) -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 10, 24, 21, 30, tzinfo=UTC) + timedelta(hours=hours)
    assert InstantField(zone).clean(on_the_clock(at, zone)) == at


def test_elsewhere_it_is_plain_as_the_form_shows_it() -> None:
    assert on_the_clock(datetime(2026, 11, 2, 9, 5, tzinfo=UTC), ZoneInfo("Asia/Kolkata")) == "2026-11-02T14:35"
