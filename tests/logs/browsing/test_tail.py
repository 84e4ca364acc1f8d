"""Following calls live: what came in since, once, one's own for a member."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from logs.models import Call
from tests.conftest import Cast
from tests.logs.conftest import NOW


@pytest.fixture
def tail(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`tail("owner", since=10, at=0)`: the request ids that came in between so many seconds before noon."""

    def get(name: str, since: int = 10, at: int = 0, **asked: Any) -> Any:
        moment = (NOW - timedelta(seconds=since)).isoformat()
        with time_machine.travel(NOW - timedelta(seconds=at), tick=False):
            url = reverse("logs:tail", args=[cast.team.slug])
            response = client_of(name).get(url, {"since": moment, **asked}, headers={"HX-Request": "true"})
        if response.status_code != 200:
            return response.status_code
        ids = [row.call.id for row in response.context["calls"]]
        names = dict(Call.objects.filter(id__in=ids).values_list("id", "request_id"))
        return [names[call_id] for call_id in ids]

    return get


@pytest.fixture
def follow_page(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., str]:
    """`follow_page(since=10)`: what is swapped into a list that was last told so many seconds before noon."""

    def get(since: Any) -> str:
        with time_machine.travel(NOW, tick=False):
            moment = (NOW - timedelta(seconds=since)).isoformat()
            response = client_of("owner").get(reverse("logs:tail", args=[cast.team.slug]), {"since": moment})
        return response.content.decode()

    return get


class Followed:
    """A list that somebody follows: called, it answers which calls it gets so many seconds after noon."""

    def __init__(self, get: Callable[[str, float], Any], url: str) -> None:
        self.get, self.told = get, ""
        self.url = self._poller(get(url, 0))

    def __call__(self, seconds: float) -> list[str]:
        response = self.get(self.url, seconds)
        if response.status_code == 204:
            return []
        self.url, self.told = self._poller(response), response.content.decode()
        ids = [row.call.id for row in response.context["calls"]]
        return [*Call.objects.filter(id__in=ids).values_list("request_id", flat=True)]

    def _poller(self, response: Any) -> str:
        return html.unescape(re.search(r'id="logs-tail"\s+hx-get="([^"]*)"', response.content.decode())[1])


@pytest.fixture
def opened(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Followed]:
    """`followed = opened()`: the list as the owner opens it at noon; `followed(3)`: what it gets 3 seconds later."""

    def get(url: str, seconds: float) -> Any:
        with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
            return client_of("owner").get(url, headers={"HX-Request": "true"})

    def open_list() -> Followed:
        return Followed(get, reverse("logs:list", args=[cast.team.slug]) + "?live=1")

    return open_list


@pytest.fixture
def arrive(record: Any) -> Callable[..., None]:
    """`arrive("member", "a", seconds=5)`: a call recorded so many seconds before noon, begun 5 minutes before that."""

    def make(name: str, request_id: str, seconds: float, **fields: Any) -> None:
        call = record(name, request_id, **fields)
        received_at = NOW - timedelta(seconds=seconds)
        Call.objects.filter(team_id=call.team_id, id=call.id).update(received_at=received_at)

    return make


def test_calls_that_came_in_since_are_given_once_also_those_that_began_long_before(
    arrive: Callable[..., None], tail: Callable[..., Any]
) -> None:
    arrive("owner", "seen", 12)
    arrive("owner", "new", 5, minutes=9)
    assert tail("owner") == ["new"]
    assert tail("owner", since=2, at=-3) == 204


def test_what_was_being_stored_while_the_list_was_opened_is_told_once(
    arrive: Callable[..., None], opened: Callable[..., Followed]
) -> None:
    arrive("owner", "listed", 1)
    arrive("owner", "listed, though below others", 2, minutes=14)
    followed = opened()
    arrive("owner", "stored meanwhile", 1.5)
    arrive("owner", "waited for others", 40)
    assert set(followed(3)) == {"stored meanwhile", "waited for others"}
    assert followed(6) == []
    arrive("owner", "waited even longer", 1.25)
    arrive("owner", "new", -8)
    assert set(followed(9)) == {"waited even longer", "new"}
    assert followed(12) == []
    assert "4 added since" in followed.told


def test_what_came_in_with_a_report_that_did_not_fit_is_not_told_later(
    arrive: Callable[..., None],
    opened: Callable[..., Followed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logs.browsing.tail.MOST", 2)
    followed = opened()
    for n in range(5):
        arrive("owner", f"r{n}", -1)
    assert len(followed(3)) == 2
    assert "More calls arrived" in followed.told
    arrive("owner", "new", -4)
    assert followed(6) == ["new"]


def test_of_very_many_reports_the_oldest_are_no_longer_waited_for(
    arrive: Callable[..., None],
    opened: Callable[..., Followed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logs.browsing.tail.MOST_REPORTS", 2)
    for n in range(4):
        arrive("owner", f"listed {n}", 10 - n)
    followed = opened()
    arrive("owner", "too late", 9.5)
    arrive("owner", "in time", 7.5)
    assert followed(3) == ["in time"]
    assert followed(6) == []


@pytest.mark.parametrize("known", ["x", "1,", "-5", "9" * 30, ",".join("1" * 1001)])
def test_what_is_known_is_checked(tail: Callable[..., Any], known: str) -> None:
    assert tail("owner", known=known) == 400


def test_more_than_fit_or_a_long_absence_is_said(
    arrive: Callable[..., None], follow_page: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        arrive("owner", f"r{n}", 5)
    assert "More calls arrived" not in follow_page(since=10)
    assert "More calls arrived" in follow_page(since=3600)
    monkeypatch.setattr("logs.browsing.tail.MOST", 2)
    text = follow_page(since=10)
    assert text.count("data-row") == 2
    assert "More calls arrived" in text


def test_a_quiet_team_is_not_told_that_calls_came_in(
    arrive: Callable[..., None], opened: Callable[..., Followed]
) -> None:
    followed = opened()
    for minutes in range(1, 40):
        assert followed(60 * minutes) == []
    assert "More calls arrived" not in followed.told
    assert "added since" not in followed.told
    arrive("owner", "new", -2400, minutes=-39)
    assert followed(2403) == ["new"]


def test_how_many_were_added_since_the_list_was_shown_is_counted_on(
    cast: Cast, arrive: Callable[..., None], client_of: Callable[..., Client]
) -> None:
    arrive("owner", "a", 5)
    arrive("owner", "b", 5)
    url, since = reverse("logs:tail", args=[cast.team.slug]), (NOW - timedelta(seconds=10)).isoformat()
    with time_machine.travel(NOW, tick=False):
        first = client_of("owner").get(url, {"since": since}).content.decode()
        later = client_of("owner").get(url, {"since": since, "added": "1499"}).content.decode()
    assert "2 added since" in first
    assert "added=2" in first
    assert "1,501 added since" in later
    assert "?added" not in later.partition("<template>")[2], "links to calls do not carry it"


def test_a_period_that_is_over_gets_nothing_new(arrive: Callable[..., None], tail: Callable[..., Any]) -> None:
    arrive("owner", "new", 5)
    asked: dict[str, Any] = {"from": "2026-11-19T10:00", "to": "2026-11-19T11:00"}
    assert tail("owner", **asked) == 204


def test_filters_and_modes_apply(arrive: Callable[..., None], tail: Callable[..., Any]) -> None:
    arrive("owner", "fast", 5, latency_ms=1)
    arrive("owner", "slow", 5, latency_ms=9000)
    assert tail("owner", latency_from=5000) == ["slow"]
    assert tail("owner", mode="test") == 204


def test_a_member_follows_their_own_calls(arrive: Callable[..., None], tail: Callable[..., Any]) -> None:
    arrive("owner", "foreign", 5)
    arrive("member", "own", 5)
    assert tail("member") == ["own"]
    assert tail("outsider") == 404


def test_a_wrong_filter_is_refused(tail: Callable[..., Any]) -> None:
    assert tail("owner", latency_from="x") == 400
    assert tail("owner", cursor="forged") == 400
    assert tail("owner", added="-1") == 400


def test_the_page_polls_only_while_it_is_followed(
    cast: Cast, record: Any, client_of: Callable[..., Client]
) -> None:
    with time_machine.travel(NOW, tick=False):
        record("owner", "a")
        url = reverse("logs:list", args=[cast.team.slug])
        client = client_of("owner")
        assert "logs-tail" not in client.get(url).content.decode()
        assert "logs-tail" in client.get(url, {"live": "1"}).content.decode()
        assert "logs-tail" not in client.get(url, {"live": "1", "sort": "cost"}).content.decode()


def test_asking_costs_few_queries(
    cast: Cast,
    arrive: Callable[..., None],
    client_of: Callable[..., Client],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    arrive("owner", "a", 5)
    client = client_of("owner")
    with time_machine.travel(NOW, tick=False), django_assert_max_num_queries(7):
        since = (NOW - timedelta(seconds=10)).isoformat()
        client.get(reverse("logs:tail", args=[cast.team.slug]), {"since": since})
