"""From a number to the calls behind it: the list's total is the number, whatever was clicked."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from config import formatting
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.access import Access
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.conftest import NOW
from tests.logs.search.test_paging import reported
from usage.parameters.forms import UsageFilter
from usage.rollups.query import Dimension, next_bucket
from usage.statistics.overview import overview, ranking

pytestmark = pytest.mark.usefixtures("now")
PERIODS = ["period=24h", "period=7d", "period=month", "from=2026-11-20T09:13&to=2026-11-20T11:59"]


@pytest.fixture
def recorded(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    rng = random.Random(5)
    for index, name in enumerate(("owner", "member")):
        calls = [reported(rng, f"{index}-{n}", NOW - timedelta(hours=n)) for n in range(60)]
        record_calls(calls, by=Caller(token=token_of(name)[0]), now=NOW)
    tested = [reported(rng, f"test-{n}", NOW - timedelta(hours=n)) for n in range(9)]
    record_calls(tested, by=Caller(token=token_of("member", mode=Mode.TEST)[0]), now=NOW)


@pytest.fixture
def total(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., tuple[Any, Any, Any]]:
    """`total("period=7d", model="x")`: calls, failed and cost as the list says."""

    def get(period: Any, name: str = "owner", **asked: Any) -> tuple[Any, Any, Any]:
        url = reverse("logs:list", args=[cast.team.slug])
        query = urlencode({key: value for key, value in asked.items() if value is not None}, doseq=True)
        found = client_of(name).get(f"{url}?{period}&{query}").context["page"].total
        assert found.is_exact
        return found.calls, found.failed, found.cost_nanos

    return get


def usage(cast: Cast, asked: Any, name: str = "owner") -> Any:
    access = Access(cast.team, cast.user(name), "owner" if name == "owner" else "member")
    form = UsageFilter(QueryDict(asked), access=access, now=NOW)
    assert form.is_valid()
    return form.query()


def numbers(figures: Any) -> tuple[Any, Any, Any]:
    return figures.calls, figures.failed, figures.cost_nanos


@pytest.mark.parametrize("period", PERIODS)
def test_the_totals_of_the_overview_are_the_totals_of_the_list(
    cast: Cast, recorded: None, total: Callable[..., tuple[Any, Any, Any]], period: str
) -> None:
    for name in ("owner", "member"):
        shown = overview(usage(cast, period, name)).total
        assert total(period, name) == numbers(shown)
        for outcome in ("succeeded", "client_errors", "throttled", "server_errors"):
            word = outcome.removesuffix("s") if outcome.endswith("errors") else outcome
            assert total(period, name, outcome=word)[0] == getattr(shown, outcome)
        assert total(period, name, unpriced="yes")[0] == shown.unpriced


@pytest.mark.parametrize("period", PERIODS)
def test_each_line_of_the_rankings_leads_to_as_many_calls(
    cast: Cast, recorded: None, total: Callable[..., tuple[Any, Any, Any]], period: str
) -> None:
    people = {user.pk: user.public_id for user in (cast.owner, cast.member)}
    for row in ranking(usage(cast, period), Dimension.MEMBER):
        if row.key in people:
            assert total(period, member=people[row.key]) == numbers(row.figures)
    for row in ranking(usage(cast, period), Dimension.MODEL):
        assert total(period, model=row.key) == numbers(row.figures)


@pytest.mark.parametrize("granularity", ["hour", "day"])
def test_each_point_of_the_charts_leads_to_as_many_calls(
    cast: Cast, recorded: None, total: Callable[..., tuple[Any, Any, Any]], granularity: str
) -> None:
    query = usage(cast, f"period=7d&granularity={granularity}&model=one&model=two")
    points = overview(query).points
    assert sum(point.figures.calls for point in points) > 10
    for point in points:
        if not point.figures.calls:
            continue
        start = max(point.start, query.range.start)
        end = min(next_bucket(point.start, query.granularity, query.zone), query.range.end)
        span = {"from": start.astimezone(query.zone).isoformat(), "to": end.astimezone(query.zone).isoformat()}
        assert total(urlencode(span), model=["one", "two"]) == numbers(point.figures)


# --- The links of the pages themselves ---------------------------------------------------------------
#
# Covered: every headline number and what it is compared with, kinds of failure, calls without a price, time
# to first token, models, ranked members, tokens and models, the table of figures, and every chart point of
# the overview. A rate leads to the calls that failed, a percentile to the calls it is of, slowest first.
# Not links: shares, changes and averages of busiest hours (no set of calls makes these), refusals (no call
# was made), quotas (they lead to their own page).


class Links(HTMLParser):
    """The links of a page to logs, or to where one's own calls are: the text in each, and its address."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._href, self._text = "", ""

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and ("/logs/?" in href or "/me/calls/?" in href):
            self._href, self._text = href, ""

    def handle_data(self, data: Any) -> None:
        self._text += data

    def handle_endtag(self, tag: Any) -> None:
        if tag == "a" and self._href and self._text.strip() != "Logs":  # the page itself, in the rail
            self.found.append((" ".join(self._text.split()), self._href))
            self._href = ""


@pytest.fixture
def page(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., tuple[Any, Any]]:
    """`page("overview", "period=7d")`: its HTML and context, and `follow(href)`, the total of the list there."""

    def get(name: str, asked: Any, who: str = "owner") -> tuple[Any, Any]:
        response = client_of(who).get(f"{reverse(f'usage:{name}', args=[cast.team.slug])}?{asked}")
        links = Links()
        links.feed(response.content.decode())
        return links.found, response.context

    return get


@pytest.fixture
def follow(client_of: Callable[..., Client]) -> Callable[..., Any]:
    def get(href: Any, who: str = "owner") -> Any:
        total = client_of(who).get(href).context["page"].total
        assert total.is_exact, href
        return total

    return get


NUMBER = re.compile(r"(?:from )?([\d,]+)(?: client errors| throttled| server errors| calls? ha.*)?")
MONEY = re.compile(r"(?:from )?<?\$([\d.,]+)")


def is_amount(text: str) -> bool:
    return bool(NUMBER.fullmatch(text) or MONEY.fullmatch(text))


def assert_leads_there(text: str, href: Any, total: Any) -> None:
    """The list behind a link has the number that was clicked; tokens are not summed there."""
    number = NUMBER.fullmatch(text)
    if number and "sort=tokens" not in href:
        assert total.calls == int(number[1].replace(",", "")), text
    elif money := MONEY.fullmatch(text):
        decimals = len(money[1].partition(".")[2])
        assert formatting.money(total.cost_nanos, decimals) == text.removeprefix("from "), text
    elif text.endswith("%"):
        assert total.calls == total.failed, text
    else:
        assert total.calls > 0, text


@pytest.mark.parametrize(
    "asked",
    [
        "period=24h",
        "period=7d&model=one&model=two&granularity=day&figures=table",
        PERIODS[-1] + "&figures=table",
    ],
)
@pytest.mark.parametrize("who", ["owner", "member"])
def test_every_link_of_the_overview_leads_to_the_number_that_was_clicked(
    recorded: None, page: Callable[..., tuple[Any, Any]], follow: Callable[..., Any], asked: Any, who: str
) -> None:
    links, context = page("overview", asked, who)
    shown = context["page"]
    buckets = sum(point.figures.calls > 0 for point in shown.overview.points) if "figures" in asked else 0
    # Calls and cost of the tiles, of each model and each bucket; the kinds of failure.
    assert (
        len([text for text, _href in links if is_amount(text)]) >= 2 + 3 + 2 * len(shown.models) + 2 * buckets
    )
    for text, href in {href: (text, href) for text, href in links}.values():
        assert_leads_there(text, href, follow(href, who))


@pytest.mark.parametrize("by", ["member", "token", "model"])
@pytest.mark.parametrize("asked", ["period=7d", "period=24h&model=one", "period=7d&mode=test"])
def test_every_link_of_the_ranking_leads_to_the_number_that_was_clicked(
    recorded: None, page: Callable[..., tuple[Any, Any]], follow: Callable[..., Any], by: str, asked: str
) -> None:
    links, context = page("ranking", f"{asked}&by={by}&sort=cost&order=asc")
    rows = [row for row in context["page"].shown if row.figures.calls]
    assert rows
    # Calls, tokens and cost of each.
    assert len([text for text, _href in links if is_amount(text)]) == 3 * len(rows)
    for text, href in links:
        if text != "View calls":
            assert_leads_there(text, href, follow(href))


def test_calls_without_a_token_are_a_line_with_its_calls(
    cast: Cast, page: Callable[..., tuple[Any, Any]], follow: Callable[..., Any]
) -> None:
    by_gateway = Caller(gateway_key=create_gateway_key(by=SITE, team=cast.team, name="proxy")[0])
    call = reported(random.Random(1), "g", NOW - timedelta(hours=1))
    record_calls([replace(call, team=cast.team.slug, member=cast.member.email)], by=by_gateway, now=NOW)
    links, context = page("ranking", "period=24h&by=token")
    assert [row.name for row in context["page"].shown] == ["Without a token"]
    assert {follow(href).calls for text, href in links if NUMBER.fullmatch(text)} == {1}


@pytest.mark.parametrize("asked", ["period=24h", "period=7d&granularity=day", PERIODS[-1] + "&model=one"])
def test_every_point_of_the_overviews_charts_leads_to_its_calls(
    cast: Cast, recorded: None, page: Callable[..., tuple[Any, Any]], follow: Callable[..., Any], asked: Any
) -> None:
    _links, context = page("overview", asked)
    shown = context["page"].overview
    calls, before = (
        next(one for one in context["trend"]["data"] if one["name"] == name) for name in ("Calls", "Previous")
    )
    p99 = next(one for one in context["latency"]["data"] if one["name"] == "p99")
    failed = [point.figures.failed for point in shown.points]
    many = [point.figures.calls for point in shown.points]
    charts = [
        (calls["customdata"], calls["y"]),
        (before["customdata"], before["y"]),
        (context["success"]["data"][-1]["customdata"], [n or many[at] for at, n in enumerate(failed)]),
        (p99["customdata"], many),
    ]
    for links, numbers in charts:
        assert len(links) == len(numbers)
        for href, number in zip(links, numbers, strict=True):
            assert (href is None) == (number == 0)
            if href:
                assert follow(href).calls == number


@pytest.mark.parametrize("asked", ["period=24h", "period=7d&granularity=day", PERIODS[-1]])
def test_every_point_is_a_link_of_the_table_too(
    recorded: None, page: Callable[..., tuple[Any, Any]], asked: Any
) -> None:
    """Points are reached by a click only; the table by keyboard and without JavaScript."""
    links, context = page("overview", f"{asked}&figures=table")
    told = {href for _text, href in links}
    for name in ("trend", "success", "latency"):
        for trace in context[name]["data"]:
            assert {href for href in trace.get("customdata", ()) if href} <= told, trace["name"]


def test_the_menu_of_a_member_keeps_the_filters_of_its_page(
    cast: Cast, recorded: None, page: Callable[..., tuple[Any, Any]], follow: Callable[..., Any]
) -> None:
    links, context = page("ranking", "period=24h&model=one")
    calls = {row.key: row.figures.calls for row in context["page"].shown}
    menus = [href for text, href in links if text == "View calls"]
    assert len(menus) == len(calls)
    for href in menus:
        assert follow(href).calls == calls[QueryDict(href.partition("?")[2])["member"]]
