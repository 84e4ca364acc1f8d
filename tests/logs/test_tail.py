"""Following calls live: what came in since, once, one's own for a member."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from logs.models import Call
from tests.logs.conftest import NOW


@pytest.fixture
def tail(cast, client_of):
    """`tail("owner", since=10, at=0)`: the request ids that came in between so many seconds before noon."""

    def get(name, since=10, at=0, **asked):
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
def follow_page(cast, client_of):
    """`follow_page(since=10)`: what is swapped into a list that was last told so many seconds before noon."""

    def get(since):
        with time_machine.travel(NOW, tick=False):
            moment = (NOW - timedelta(seconds=since)).isoformat()
            response = client_of("owner").get(reverse("logs:tail", args=[cast.team.slug]), {"since": moment})
        return response.content.decode()

    return get


@pytest.fixture
def arrive(record):
    """`arrive("member", "a", seconds=5)`: a call recorded so many seconds before noon, begun 5 minutes before that."""

    def make(name, request_id, seconds, **fields):
        call = record(name, request_id, **fields)
        received_at = NOW - timedelta(seconds=seconds)
        Call.objects.filter(team_id=call.team_id, id=call.id).update(received_at=received_at)

    return make


def test_calls_that_came_in_since_are_given_once_also_those_that_began_long_before(arrive, tail):
    arrive("owner", "seen", 12)
    arrive("owner", "new", 5, minutes=9)
    assert tail("owner") == ["new"]
    assert tail("owner", since=2, at=-3) == 204


def test_the_last_moments_are_left_for_next_time(arrive, tail):
    arrive("owner", "being committed", 1)
    assert tail("owner") == 204
    assert tail("owner", since=2, at=-3) == ["being committed"]


def test_more_than_fit_or_a_long_absence_is_said(arrive, follow_page, monkeypatch):
    for n in range(3):
        arrive("owner", f"r{n}", 5)
    assert "More calls came in" not in follow_page(since=10)
    assert "More calls came in" in follow_page(since=3600)
    monkeypatch.setattr("logs.tail.MOST", 2)
    text = follow_page(since=10)
    assert text.count("data-row") == 2
    assert "More calls came in" in text


def test_how_many_were_added_since_the_list_was_shown_is_counted_on(cast, arrive, client_of):
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


def test_a_period_that_is_over_gets_nothing_new(arrive, tail):
    arrive("owner", "new", 5)
    asked = {"from": "2026-11-19T10:00", "to": "2026-11-19T11:00"}
    assert tail("owner", **asked) == 204


def test_filters_and_modes_apply(arrive, tail):
    arrive("owner", "fast", 5, latency_ms=1)
    arrive("owner", "slow", 5, latency_ms=9000)
    assert tail("owner", latency_from=5000) == ["slow"]
    assert tail("owner", mode="test") == 204


def test_a_member_follows_their_own_calls(arrive, tail):
    arrive("owner", "foreign", 5)
    arrive("member", "own", 5)
    assert tail("member") == ["own"]
    assert tail("outsider") == 404


def test_a_wrong_filter_is_refused(tail):
    assert tail("owner", latency_from="x") == 400
    assert tail("owner", cursor="forged") == 400
    assert tail("owner", added="-1") == 400


def test_the_page_polls_only_while_it_is_followed(cast, record, client_of):
    with time_machine.travel(NOW, tick=False):
        record("owner", "a")
        url = reverse("logs:list", args=[cast.team.slug])
        client = client_of("owner")
        assert "logs-tail" not in client.get(url).content.decode()
        assert "logs-tail" in client.get(url, {"live": "1"}).content.decode()
        assert "logs-tail" not in client.get(url, {"live": "1", "sort": "cost"}).content.decode()


def test_asking_costs_few_queries(cast, arrive, client_of, django_assert_max_num_queries):
    arrive("owner", "a", 5)
    client = client_of("owner")
    with time_machine.travel(NOW, tick=False), django_assert_max_num_queries(7):
        since = (NOW - timedelta(seconds=10)).isoformat()
        client.get(reverse("logs:tail", args=[cast.team.slug]), {"since": since})
