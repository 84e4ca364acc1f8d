"""From a number of the personal page to the calls behind it: in one context, in several, on several clocks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from django.urls import reverse

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Token
from teams.models.teams import Team
from tests.conftest import Cast
from tests.logs.browsing.test_drill_down import Links, assert_leads_there, is_amount
from tests.usage.conftest import text_of
from tests.usage.contexts import NOW

# Hours meet in odd minutes and in zones half an hour apart; days where it is tomorrow already.
PERIODS = [
    "from=2026-11-01T15:13&to=2026-11-01T18:47",
    "from=2026-10-31T00:00&to=2026-11-03T00:00&granularity=day",
]
PERIODS += ["period=7d&granularity=day"]


@dataclass(frozen=True)
class There:
    """What a link leads to, as the total of a list says it."""

    calls: int
    failed: int
    cost_nanos: int


@pytest.fixture
def follow(client_of: Callable[..., Client]) -> Callable[..., There]:
    """`follow(href)`: the sums of the list there, or of the lists of all contexts that the page there leads to."""
    client = client_of("member")

    def total(href: Any) -> Any:
        total = client.get(href).context["page"].total
        assert total.is_exact, href
        return total

    def get(href: Any) -> There:
        response = client.get(href, follow=True)
        text_of(response)
        if "found" not in response.context:
            totals = [response.context["page"].total]
        else:
            found = response.context["found"]
            totals = [total(place.href) for place in found.places]
            # What the page says of each context is what the list there says.
            assert [place.calls for place in found.places] == [one.calls for one in totals]
            assert len(totals) != 1
        return There(
            calls=sum(one.calls for one in totals),
            failed=sum(one.failed for one in totals),
            cost_nanos=sum(one.cost_nanos for one in totals),
        )

    return get


def links_of(response: Any) -> Any:
    links = Links()
    links.feed(text_of(response))
    return {href: (text, href) for text, href in links.found if text != "View calls"}.values()


@pytest.mark.parametrize(
    ("period", "where"),
    [
        (PERIODS[0], ""),
        (PERIODS[2], ""),
        (PERIODS[0], "&team=lab"),
        (PERIODS[2], "&team=lab&team=harbour-research&model=gpt-4o"),
    ],
)
def test_every_link_leads_to_the_number_that_was_clicked(
    mine: Callable[..., Any], follow: Callable[..., There], period: Any, where: str
) -> None:
    response = mine(f"{period}{where}&figures=table")
    page = response.context["page"]
    assert page.overview.total.calls > 1
    links = links_of(response)
    called = [one for one in page.own.contexts if one.figures.calls]
    buckets = sum(point.figures.calls > 0 for point in page.overview.points)
    # Of the tiles calls and cost, of each context, model and bucket both, too; the kinds of failure.
    rows = 2 * len(called) + 2 * len(page.models) + 2 * buckets
    single = len(called) == 1  # whose numbers lead where those of the tiles lead
    assert len([text for text, _href in links if is_amount(text)]) >= 2 + 3 + rows - 2 * single
    for text, href in links:
        if "latest" not in href:
            assert_leads_there(text, href, follow(href))


@pytest.fixture
def without_token(cast: Cast, places: dict[str, Team]) -> None:
    """Three calls that a gateway reported for Mia in the lab."""
    gateway = Caller(gateway_key=create_gateway_key(by=SITE, team=places["lab"], name="proxy")[0])
    call = ReportedCall(
        request_id="",
        started_at=NOW - timedelta(minutes=5),
        model="gpt-4o",
        team="lab",
        member=cast.member.email,
    )
    record_calls([replace(call, request_id=f"gateway-{n}") for n in range(3)], by=gateway, now=NOW)


@pytest.mark.parametrize("where", ["", "&team=lab", "&team=lab&team=harbour-research"])
def test_calls_without_a_token_can_be_filtered_by(
    mine: Callable[..., Any],
    client_of: Callable[..., Client],
    tokens: dict[str, Token],
    without_token: None,
    follow: Callable[..., There],
    where: str,
) -> None:
    query = f"period=7d&token=none{where}"
    response = mine(query)
    page = response.context["page"]
    assert page.overview.total.calls == 3
    links = links_of(response)
    assert links
    for text, href in links:
        if "latest" not in href:
            assert_leads_there(text, href, follow(href))
    chip = next(one for one in page.filters if one.name == "token")
    assert chip.value == chip.choices[-1].label == "Without a token"
    more = mine(f"{query}&token={tokens['lab'].public_id}").context["page"].overview.total.calls
    alone = mine(f"period=7d{where}&token={tokens['lab'].public_id}").context["page"].overview.total.calls
    assert more == 3 + alone > 3
    export = client_of("member").get(f"{reverse('usage:me-export')}?{query}&format=json")
    assert export.json()["totals"]["calls"] == 3


def asked_by(href: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """An address whatever the order of its filters."""
    path, _mark, query = href.partition("?")
    return path, tuple(sorted(parse_qsl(query)))


@pytest.mark.parametrize("where", ["", "&team=lab"])
def test_every_point_is_a_link_of_the_table_too(mine: Callable[..., Any], where: str) -> None:
    response = mine(f"{PERIODS[2]}{where}&figures=table")
    told = {asked_by(href) for _text, href in links_of(response)}
    for name in ("trend", "success", "latency"):
        for trace in response.context[name]["data"]:
            assert {asked_by(href) for href in trace.get("customdata", ()) if href} <= told, trace["name"]


@pytest.mark.parametrize(
    ("period", "where"), [*((period, "") for period in PERIODS), (PERIODS[0], "&team=lab")]
)
def test_every_point_of_the_charts_leads_to_its_calls(
    mine: Callable[..., Any], follow: Callable[..., There], period: Any, where: Any
) -> None:
    context = mine(f"{period}{where}").context
    shown = context["page"].overview
    trend, success, latency = (context[name]["data"] for name in ("trend", "success", "latency"))
    calls, before = (next(one for one in trend if one["name"] == name) for name in ("Calls", "Previous"))
    p99 = next(one for one in latency if one["name"] == "p99")
    many = [point.figures.calls for point in shown.points]
    failed = [point.figures.failed or point.figures.calls for point in shown.points]
    charts = [(calls, many), (before, before["y"]), (success[-1], failed), (p99, many)]
    assert sum(many) > 1
    for chart, numbers in charts:
        for href, number in zip(chart["customdata"], numbers, strict=True):
            assert (href is None) == (number == 0)
            if href:
                assert follow(href).calls == number, href


def test_one_context_has_its_own_logs_and_needs_no_page_between(mine: Callable[..., Any]) -> None:
    for _text, href in links_of(mine("period=7d&team=lab")):
        assert href.startswith("/t/lab/logs/?from=")


def test_a_token_leads_straight_to_its_contexts_calls(
    mine: Callable[..., Any],
    tokens: dict[str, Token],
    client_of: Callable[..., Client],
    follow: Callable[..., There],
) -> None:
    """The page between would have one line."""
    token = tokens["lab"].public_id
    response = mine(f"period=7d&token={token}")
    href = next(href for _text, href in links_of(response) if "/me/calls/" in href)
    answer = client_of("member").get(href)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/t/lab/logs/?")
    assert f"token={token}" in answer["Location"]
    assert follow(href).calls == response.context["page"].overview.total.calls > 0


def test_a_context_without_the_token_leads_nowhere(mine: Callable[..., Any], tokens: dict[str, Token]) -> None:
    """Its logs would not know the token."""
    for where in ("", "&team=harbour-research"):
        response = mine(f"period=7d&token={tokens['lab'].public_id}{where}")
        assert not any("/t/harbour-research/logs/?" in href for _text, href in links_of(response))


def test_each_context_is_told_with_its_time_on_its_own_clock(
    client_of: Callable[..., Client], tokens: dict[str, Token]
) -> None:
    page = text_of(
        client_of("member").get(f"{reverse('usage:me-calls')}?period=7d&granularity=day&at=2026-10-31")
    )
    for clock in ("America/New_York", "Asia/Kolkata", "Europe/Berlin"):
        assert "Sat 31 Oct, 00:00</time>" in page.partition(clock)[0].rpartition("person-mail")[2]
    assert "of your calls" in page


NONSENSE = [
    ("at=yesterday", "Enter a time such as"),
    ("outcome=lost", "There is no outcome “lost”."),
    ("outcome=succeeded&unpriced=yes", "Filter by only one of"),
    ("before=1&compare=none", "there is no previous period"),
    ("sort=name", "Select a valid choice"),
    ("team=nowhere", "You have no context “nowhere”."),
]


@pytest.mark.parametrize(("query", "message"), NONSENSE)
def test_nonsense_is_told(
    client_of: Callable[..., Client], tokens: dict[str, Token], query: str, message: str
) -> None:
    page = text_of(client_of("member").get(f"{reverse('usage:me-calls')}?{query}"))
    assert message in page
    assert 'role="alert"' in page


def test_nothing_there_is_said(client_of: Callable[..., Client], tokens: dict[str, Token]) -> None:
    page = text_of(client_of("member").get(f"{reverse('usage:me-calls')}?period=24h&model=none"))
    assert "No matching calls in any context" in page


def test_who_left_a_team_sees_none_of_its_calls_here(
    cast: Cast, client_of: Callable[..., Client], tokens: dict[str, Token]
) -> None:
    cast.member.memberships.filter(team=cast.team).delete()
    page = client_of("member").get(f"{reverse('usage:me-calls')}?period=7d").context["found"]
    assert {place.membership.team.slug for place in page.places}.isdisjoint({cast.team.slug})
    assert page.calls > 0
