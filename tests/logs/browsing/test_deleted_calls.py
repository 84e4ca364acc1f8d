"""What pages say of times whose calls were deleted: no number and no word that nobody can know."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from pytest_django import Settings

from logs.integrity.retention import delete_old_calls
from teams.models import Mode
from tests.conftest import Cast
from usage.anomalies.episodes import Episode, Kind, calls_link
from usage.rollups.query import Range

pytestmark = pytest.mark.usefixtures("now")

DAY = 24 * 60
# Calls are kept since 17 Nov 2026.
PAST: dict[str, Any] = {"from": "2026-11-10T00:00", "to": "2026-11-16T00:00"}
ACROSS: dict[str, Any] = {"from": "2026-11-10T00:00", "to": "2026-11-20T00:00"}
KEPT: dict[str, Any] = {"from": "2026-11-17T00:00", "to": "2026-11-20T00:00"}
GONE = "These calls are no longer stored"
NONE = "No calls match"


@pytest.fixture
def partly_deleted(record: Any, settings: Settings, now: datetime) -> None:
    """Four calls of which two are kept, one of them failed; 5 days ago and yesterday."""
    for days in (1, 5):
        record("owner", f"a{days}", minutes=days * DAY, latency_ms=3000, tags=["x"])
        record("owner", f"b{days}", minutes=days * DAY, latency_ms=40, status=500, tags=["x"])
    settings.CALL_RETENTION_DAYS = 3
    assert delete_old_calls(now=now) == 2


@pytest.fixture
def shown(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., tuple[str, Any]]:
    """`shown("logs:list", period="7d")`: the page's text, and its context."""

    def get(page: str, status: int = 200, **asked: Any) -> tuple[str, Any]:
        response = client_of("owner").get(reverse(page, args=[cast.team.slug]), asked)
        assert response.status_code == status
        return text_of(response), response.context

    return get


def text_of(response: Any) -> str:
    html = response.content.decode()
    return " ".join(strip_tags(html[html.index("<main") :]).split())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (PAST, "2 calls 1 failed ·"),  # the statistics know
        (ACROSS, "4 calls 2 failed ·"),
        ({**ACROSS, "outcome": "server_error"}, "2 calls 2 failed · newest"),
        ({**ACROSS, "tag": "x"}, "2 stored calls 1 failed ·"),
        ({**ACROSS, "latency_from": "2000"}, "1 stored call 0 failed ·"),
        ({**KEPT, "tag": "x"}, "2 calls 1 failed ·"),
        ({**KEPT, "latency_from": "9999"}, "0 calls 0 failed ·"),
        ({**PAST, "tag": "x"}, "0 stored calls newest"),
        ({**ACROSS, "latency_from": "9999"}, "0 stored calls newest"),
        ({"request": "a5"}, "0 stored calls newest"),
    ],
)
def test_the_heading_claims_no_number_that_nobody_knows(
    partly_deleted: None,
    shown: Callable[..., tuple[str, Any]],
    asked: dict[str, str] | dict[str, Any],
    told: str,
) -> None:
    text, _context = shown("logs:list", **asked)
    assert f" {told}" in text


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        (PAST, GONE),
        ({**PAST, "latency_from": "9999"}, GONE),
        ({**ACROSS, "latency_from": "9999"}, GONE),
        ({**ACROSS, "model": "gpt-4o-mini", "provider": "google"}, GONE),
        ({**ACROSS, "model": "gpt-5"}, NONE),  # the statistics know that there were none
        ({**KEPT, "latency_from": "9999"}, NONE),
    ],
)
def test_an_empty_list_says_when_there_may_have_been_calls(
    partly_deleted: None,
    shown: Callable[..., tuple[str, Any]],
    asked: dict[str, str] | dict[str, Any],
    title: str,
) -> None:
    text, _context = shown("logs:list", **asked)
    assert [name for name in (GONE, NONE) if name in text] == [title]


def test_what_may_have_been_is_not_told_as_if_it_had_been(
    partly_deleted: None, shown: Callable[..., tuple[str, Any]]
) -> None:
    text, _context = shown("logs:list", **ACROSS, latency_from="9999")
    assert "Calls before 17 Nov 2026 were deleted after the retention period" in text
    text, _context = shown("logs:list", **PAST)
    assert "They were deleted after the retention period" in text


def test_a_request_id_of_a_deleted_call_is_looked_for_among_those_that_are_kept(
    partly_deleted: None, shown: Callable[..., tuple[str, Any]]
) -> None:
    text, _context = shown("logs:list", request="a5")
    assert "No call since 17 Nov 2026 that you may see has this request ID." in text
    assert "whenever it was made" not in text


def test_a_request_id_where_all_calls_are_kept_was_never_there(
    record: Any, shown: Callable[..., tuple[str, Any]]
) -> None:
    record("owner", "a")
    text, _context = shown("logs:list", request="b")
    assert "No call with this request ID, at any time, among the calls that you may see." in text


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (ACROSS, "Calls before 17 Nov 2026 are counted here but no longer stored:"),
        ({**ACROSS, "tag": "x"}, "Only calls stored since 17 Nov 2026 are counted here."),
        (KEPT, ""),
        ({**KEPT, "tag": "x"}, ""),
    ],
)
def test_the_latency_says_which_calls_it_counts(
    partly_deleted: None,
    shown: Callable[..., tuple[str, Any]],
    client_of: Callable[..., Client],
    asked: dict[str, str] | dict[str, Any],
    told: str,
) -> None:
    text, context = shown("logs:latency", **asked)
    assert told in text
    assert ("17 Nov" in text) is bool(told)
    for bar, _label, href in context["bars"]:
        kept = len(client_of("owner").get(href).context["page"].calls)
        assert kept == (bar.calls / 2 if "no longer stored" in told else bar.calls)


def test_the_calls_of_an_unusual_episode_long_ago_are_no_longer_kept(
    cast: Cast, partly_deleted: None, client_of: Callable[..., Client], now: datetime
) -> None:
    """Also where only single calls tell which of them were slow."""
    start = now - timedelta(days=5)
    for slower_than_ms, end in ((0, start), (2000, start), (2000, now - timedelta(days=3))):
        told = Range(start - timedelta(hours=3), end + timedelta(hours=3))
        kind = Kind.LATENCY if slower_than_ms else Kind.CALLS
        found = Episode(kind, told.start, told.end, start, 1, 1, "", told, told, slower_than_ms=slower_than_ms)
        response = client_of("owner").get(calls_link(cast.team, Mode.LIVE, found))
        assert GONE in text_of(response)
