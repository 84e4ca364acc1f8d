"""The usage pages in a real browser: filters, Back, charts, every look."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from teams.models.users import User
from tests.conftest import Cast
from tests.usage.anomalies.conftest import LUNCH, NOW, happen, runaway, tokens, usual  # noqa: F401

HOUR = timedelta(hours=1)
CHARTS = ("trend", "success", "latency")


@pytest.fixture
def called(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> Cast:
    """Calls of three people over 20 days, some of them failed."""
    now = timezone.now()
    for name, count in (("member", 60), ("administrator", 25), ("owner", 5)):
        reported = [
            ReportedCall(
                request_id=f"{name}-{n}",
                started_at=now - timedelta(hours=8 * n, minutes=2),
                model=("gpt-4o-mini", "gpt-4o", "house-model")[n % 3],
                status=(200, 200, 200, 429, 500)[n % 5],
                input_tokens=1000 * n,
                output_tokens=50,
                latency_ms=400 + 40 * n,
                ttft_ms=90,
                stream=True,
            )
            for n in range(count)
        ]
        record_calls(reported, by=Caller(token=token_of(name)[0]), now=now)
    return cast


def open_page(page: Page, name: str, query: str = "") -> None:
    page.goto(reverse(f"usage:{name}", args=[] if name == "me" else ["harbour-research"]) + query)


def expect_charts(page: Page, names: Any = CHARTS) -> None:
    for name in names:
        expect(page.locator(f"[data-chart={name}] svg.main-svg >> nth=0")).to_be_visible()


def test_filters_narrow_the_page_and_back_brings_the_whole_one_again(
    page: Page, called: Cast, sign_in: Callable[[User], None]
) -> None:
    sign_in(called.owner)
    open_page(page, "overview")
    expect_charts(page)
    page.evaluate("document.documentElement.dataset.kept = 'yes'")
    page.get_by_role("group", name="Time range").get_by_role("link", name="30 d").click()
    page.wait_for_url("**?period=30d*")
    expect(page.locator(".kpis")).to_contain_text("90")
    expect_charts(page)

    page.get_by_role("button", name="Member").first.click()
    page.get_by_role("checkbox", name="Mia").check()
    page.get_by_role("button", name="Apply").locator("visible=true").click()
    page.wait_for_url(f"**member={called.member.public_id}*")
    expect(page.locator(".kpis")).to_contain_text("60")
    expect_charts(page)
    assert page.evaluate("document.documentElement.dataset.kept") == "yes", "only the part was swapped"

    page.go_back()
    expect(page.locator(".kpis")).to_contain_text("90")
    expect(page.locator(".rail")).to_have_count(1)
    expect_charts(page)
    page.go_back()
    expect(page.get_by_role("link", name="7 d")).to_have_attribute("aria-current", "true")
    expect_charts(page)


def test_new_calls_are_there_after_a_reload(
    page: Page, called: Cast, sign_in: Callable[[User], None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    sign_in(called.owner)
    open_page(page, "overview", "?period=30d")
    expect(page.locator(".kpis")).to_contain_text("90")
    now = timezone.now()
    call = ReportedCall(request_id="new", started_at=now, model="gpt-4o-mini")
    record_calls([call], by=Caller(token=token_of("member")[0]), now=now)
    page.reload()
    expect(page.locator(".kpis")).to_contain_text("91")


def test_the_tabs_of_the_first_few_swap_their_panel_alone_and_have_an_address(
    page: Page,
    called: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    sign_in(called.owner)
    open_page(page, "overview", "?period=30d")
    expect_charts(page)
    page.evaluate("document.querySelector('.kpis').dataset.kept = 'yes'")
    panel = page.locator("#usage-top")
    for tab, name, by in (("API tokens", "laptop", "token"), ("Models", "house-model", "model")):
        panel.get_by_role("link", name=tab).click()
        expect(panel).to_contain_text(name)
        page.wait_for_url(f"**?period=30d&by={by}")
        expect(panel.get_by_role("link", name=tab)).to_have_attribute("aria-current", "true")
    expect(page.locator(".kpis[data-kept=yes]")).to_be_visible()
    page.reload()
    expect(panel).to_contain_text("house-model")
    for _look in each_look():
        axe()


def test_filters_and_export_keep_the_tab_that_was_opened(
    page: Page, called: Cast, sign_in: Callable[[User], None]
) -> None:
    sign_in(called.owner)
    open_page(page, "overview", "?period=30d")
    panel = page.locator("#usage-top")
    panel.get_by_role("link", name="Models").click()
    expect(panel).to_contain_text("house-model")
    assert "by=model" in page.locator(".page-actions a", has_text="CSV").get_attribute("href")
    page.get_by_role("group", name="Time range").get_by_role("link", name="90 d").click()
    page.wait_for_url("**?period=90d&by=model")
    expect(panel.get_by_role("link", name="Models")).to_have_attribute("aria-current", "true")

    panel.get_by_role("link", name="Members").click()
    expect(panel).to_contain_text("Mia")
    assert "by=" not in page.locator(".page-actions a", has_text="CSV").get_attribute("href")
    page.get_by_role("button", name="Member").first.click()
    page.get_by_role("checkbox", name="Mia").check()
    panel.get_by_role("link", name="API tokens").dispatch_event("click")
    expect(panel).to_contain_text("laptop")
    page.get_by_role("button", name="Apply").locator("visible=true").click()
    page.wait_for_url(f"**period=90d*member={called.member.public_id}*")
    assert page.url.count("by=token") == 1
    expect(panel.get_by_role("link", name="API tokens")).to_have_attribute("aria-current", "true")


def test_a_bar_of_the_personal_page_leads_to_where_its_calls_are(
    page: Page,
    called: Cast,
    sign_in: Callable[[User], None],
    token_of: Callable[..., tuple[Token, str]],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    space = called.member.owned_teams.get(is_personal=True)
    space.time_zone = called.team.time_zone  # or it may be another day there
    space.save(update_fields=["time_zone"])
    now = timezone.now()
    call = ReportedCall(request_id="own", started_at=now - timedelta(minutes=2), model="gpt-4o-mini")
    record_calls([call], by=Caller(token=token_of("member", team=space)[0]), now=now)
    sign_in(called.member)
    open_page(page, "me", "?period=30d&compare=none")
    bar = page.locator("[data-chart=trend] .bars path >> nth=-1")  # today's, which both contexts have calls of
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/me/calls/?*at=*")
    assert page.get_by_role("table").get_by_role("link", name=space.name).is_visible()
    for _look in each_look():
        axe()
    page.get_by_role("link", name="Harbour Research").click()
    page.wait_for_url("**/t/harbour-research/logs/?from=*")


@pytest.mark.parametrize("aside", [0, 6, -6])  # a ring is wider than its hour
def test_a_ring_leads_to_the_calls_that_made_the_hour_unusual(
    page: Page,
    cast: Cast,
    runaway: None,  # noqa: F811
    sign_in: Callable[[User], None],
    aside: int,
) -> None:
    with time_machine.travel(NOW):
        sign_in(cast.owner)
        open_page(page, "overview", "?period=7d")
        ring = page.locator("[data-chart=trend] .textpoint >> nth=0")
        ring.scroll_into_view_if_needed()
        box = ring.bounding_box()
        right = box["x"] + box["width"] / 2 + aside
        page.mouse.move(right, box["y"] + box["height"] / 2)
        page.mouse.click(right, box["y"] + box["height"] / 2)
        page.wait_for_url("**/t/harbour-research/logs/?from=2026-11-19T12%3A00&*token=*")
        expect(page.get_by_text("1,000 calls")).to_be_visible()


# Of an hour of the trend: where it can lead to, how many calls that are, and at which heights it is drawn.
DRAWN = """(hour) => {
  const chart = document.querySelector("[data-chart=trend]"), { left, top } = chart.getBoundingClientRect();
  const { xaxis, yaxis, yaxis2 } = chart._fullLayout, [now, before] = chart.data, at = now.x.indexOf(hour);
  const drawn = (calls) => top + yaxis._offset + yaxis.d2p(calls);
  const of = ({ customdata, y }) => ({ address: customdata[at], calls: y[at], top: drawn(y[at]) });
  return { x: left + xaxis._offset + xaxis.d2p(hour), now: of(now), before: of(before),
    foot: drawn(0), cost: top + yaxis2._offset + yaxis2._length / 2 };
}"""


@pytest.fixture
def click_hour(page: Page, cast: Cast, sign_in: Callable[[User], None]) -> Iterator[Callable[..., Any]]:
    """`click_hour("2026-11-19T12:00", lambda drawn: …)`: clicks in the trend where that says; gives what is drawn."""

    def click(hour: Any, height: Any) -> Any:
        open_page(page, "overview", "?period=7d&granularity=hour")
        expect_charts(page, ["trend"])
        page.locator("[data-chart=trend]").scroll_into_view_if_needed()
        drawn = page.evaluate(DRAWN, hour)
        page.mouse.move(drawn["x"], height(drawn))
        page.mouse.click(drawn["x"], height(drawn))
        page.wait_for_url("**/logs/?from=*")
        return drawn

    with time_machine.travel(NOW):
        sign_in(cast.owner)
        yield click


def test_a_click_on_a_bar_leads_to_its_calls_and_one_on_the_line_above_it_to_those_before(
    page: Page,
    happen: Callable[..., None],  # noqa: F811
    click_hour: Callable[..., Any],
) -> None:
    week = timedelta(days=7)
    for at, count in ((LUNCH, 40), (LUNCH - week, 10), (LUNCH + HOUR, 12), (LUNCH + HOUR - week, 36)):
        happen("member", count, at)

    def expect_calls(one: Any) -> None:
        expect(page).to_have_url(page.url.partition("/t/")[0] + one["address"])
        expect(page.locator("#logs-title")).to_have_text(f"{one['calls']} calls")

    def middle(drawn: Any) -> float:
        return (drawn["now"]["top"] + drawn["foot"]) / 2

    for hour, calls in (("2026-11-19T12:00", 40), ("2026-11-19T13:00", 12)):
        drawn = click_hour(hour, middle)
        assert drawn["now"]["calls"] == calls
        expect_calls(drawn["now"])
        expect_calls(click_hour(hour, lambda drawn: drawn["cost"])["now"])
    # Within the bar the line of the period before is part of its picture.
    expect_calls(click_hour("2026-11-19T12:00", lambda drawn: drawn["before"]["top"])["now"])
    drawn = click_hour("2026-11-19T13:00", lambda drawn: drawn["before"]["top"] + 2)
    assert drawn["before"]["calls"] == 36
    expect_calls(drawn["before"])


def test_the_bar_below_a_ring_leads_to_all_its_calls_and_not_to_the_unusual_ones(
    page: Page,
    runaway: None,  # noqa: F811
    click_hour: Callable[..., Any],
) -> None:
    drawn = click_hour("2026-11-19T12:00", lambda drawn: drawn["now"]["top"] + 14)
    expect(page).to_have_url(page.url.partition("/t/")[0] + drawn["now"]["address"])
    assert "token=" not in page.url


@pytest.mark.parametrize("query", ["?period=30d", "?figures=table&period=24h", "?member=nobody", "?mode=test"])
@pytest.mark.parametrize("name", ["overview", "ranking"])
def test_a_page_of_the_team_is_accessible_in_every_look(
    page: Page,
    called: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
    name: str,
    query: str,
) -> None:
    sign_in(called.owner)
    open_page(page, name, query)
    if name == "overview" and query == "?period=30d":
        expect_charts(page)
    for _look in each_look():
        axe()


def test_the_personal_page_and_a_members_part_are_accessible_in_every_look(
    page: Page,
    called: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    sign_in(called.member)
    for name in ("me", "overview"):
        open_page(page, name)
        expect(page.locator("[data-chart] svg.main-svg >> nth=0")).to_be_visible()
        for _look in each_look():
            axe()
