"""Addresses of the calls behind a number: the filters of its page, and what narrows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict

from teams.models import Team
from usage.rollups.query import Range, on_the_clock
from usage.statistics.drill_down import CallsBehind

BERLIN = Team(name="Harbour", slug="harbour", time_zone="Europe/Berlin")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def behind(asked: str = "") -> CallsBehind:
    return CallsBehind(BERLIN, QueryDict(asked))


def test_filters_of_the_page_are_kept_and_what_only_says_how_it_is_shown_is_not() -> None:
    asked = (
        "period=30d&model=a&model=b&mode=test&compare=none&granularity=day&figures=table&sort=p95&by=token&q=x"
    )
    assert behind(asked).to() == "/t/harbour/logs/?period=30d&mode=test&model=a&model=b"


def test_a_filter_of_the_number_takes_the_place_of_the_pages_own() -> None:
    assert behind("model=a&model=b").to(model="a b&c") == "/t/harbour/logs/?model=a+b%26c"


def test_failed_is_all_but_succeeded() -> None:
    expected = "/t/harbour/logs/?outcome=client_error&outcome=throttled&outcome=server_error"
    assert behind().to(outcome="failed") == expected


def test_a_range_takes_the_place_of_the_pages_time() -> None:
    within = Range(NOON, NOON + timedelta(hours=1))
    assert behind("period=7d&mode=test").to(within, sort="cost") == (
        "/t/harbour/logs/?from=2026-11-20T13:00&to=2026-11-20T14:00&mode=test&sort=cost"
    )
    assert behind("from=2026-11-01&to=2026-11-30").by_range()(within).count("from=") == 1


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOON, "2026-11-20T13:00"),
        (NOON + timedelta(seconds=7), "2026-11-20T13:00:07"),
        # The clock of Berlin showed 02:30 twice on 25 October 2026.
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T02:30+02:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T02:30+01:00"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), "2026-10-25T03:30"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29T03:00"),
    ],
)
def test_a_time_is_written_so_that_it_is_read_as_the_same_instant(at: datetime, text: str) -> None:
    assert on_the_clock(at, BERLIN.zone) == text
    read = datetime.fromisoformat(text)
    assert (read if read.tzinfo else read.replace(tzinfo=BERLIN.zone)).astimezone(UTC) == at


def test_an_offset_survives_the_address() -> None:
    hour = Range(datetime(2026, 10, 25, 0, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC))
    asked = QueryDict(behind().to(hour).partition("?")[2])
    assert (asked["from"], asked["to"]) == ("2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00")


@pytest.mark.parametrize("asked", ["", "period=30d&model=a", "model=a&member=m&mode=test"])
@pytest.mark.parametrize("narrower", [{}, {"outcome": "failed"}])
def test_a_table_writes_the_addresses_of_its_lines_at_once(
    asked: str, narrower: dict[str, Any] | dict[str, str]
) -> None:
    way = behind(asked)
    to = way.by_key("model", **narrower)
    for key in ("b", "a b&c", "größer/2"):
        alone = QueryDict(way.to(model=key, **narrower).partition("?")[2])
        assert QueryDict(to(key).partition("?")[2]) == alone
        assert to(key).startswith("/t/harbour/logs/?")
