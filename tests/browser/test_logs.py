"""The logs in a browser: drawer, chips, paging, following live, latency; no complaint of the security policy."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from teams.models.users import User
from tests.conftest import Cast


@pytest.fixture
def report(token_of: Callable[..., tuple[Token, str]]) -> Callable[..., None]:
    """`report(3, model="x")`: so many of Mia's calls, a minute apart."""
    caller, count = Caller(token=token_of("member")[0]), iter(range(10_000))

    def send(number: Any, received_ago: int = 0, **fields: Any) -> None:
        now = timezone.now() - timedelta(seconds=received_ago)
        calls = [
            ReportedCall(
                **{
                    "request_id": f"call-{next(count)}",
                    "started_at": now - timedelta(minutes=n + 1),
                    "model": "gpt-4o-mini",
                    "latency_ms": 100 * (n + 1),
                    "ttft_ms": 50,
                    "input_tokens": 1000,
                    "output_tokens": 20,
                    **fields,
                }
            )
            for n in range(number)
        ]
        assert record_calls(calls, by=caller, now=now).accepted == number

    return send


@pytest.fixture
def logs(page: Page, cast: Cast, report: Callable[..., None], sign_in: Callable[[User], None]) -> str:
    """The address of the logs with 60 calls, open in the browser of the owner."""
    report(59)
    report(1, model="house-model", status=503, error_type="overloaded", error_message="Try again later")
    sign_in(cast.owner)
    url = reverse("logs:list", args=[cast.team.slug])
    page.goto(url)
    expect(page.get_by_role("heading", name="60 calls")).to_be_visible()
    expect(page.locator("[data-chart=latency-bars] svg.main-svg >> nth=0")).to_be_visible()
    return url


def test_a_call_opens_in_the_drawer_and_escape_gives_the_focus_back(page: Page, logs: str) -> None:
    row = page.locator("#logs-rows tr").nth(3)
    row.get_by_role("link").click()
    drawer = page.locator("#call-detail")
    expect(drawer.get_by_role("heading", name="Call at")).to_be_focused()
    expect(row).to_have_attribute("aria-current", "true")
    drawer.get_by_role("link", name="Next call in the list").click()
    expect(drawer).to_contain_text("400 ms")
    expect(drawer.get_by_role("heading", name="Call at")).to_be_focused()
    expect(page.locator("#logs-rows tr[aria-current]")).to_have_count(1)
    below = page.locator("#logs-rows tr").nth(4)
    expect(below).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(below.get_by_role("link")).to_be_focused()
    expect(page).to_have_url(f"{page.url.partition('/t/')[0]}{logs}")


def test_the_last_row_stays_marked_while_one_goes_on_beyond_the_table(page: Page, logs: str) -> None:
    row, drawer = page.locator("#logs-rows tr").last, page.locator("#call-detail")
    row.get_by_role("link").click()
    before = drawer.get_by_role("heading", name="Call at").text_content()
    drawer.get_by_role("link", name="Next call in the list").click()
    expect(drawer.get_by_role("heading", name="Call at")).not_to_have_text(before)
    expect(row).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(row.get_by_role("link")).to_be_focused()


def test_rows_are_walked_with_the_arrows_opened_with_enter_and_left_with_escape(page: Page, logs: str) -> None:
    rows, drawer = page.locator("#logs-rows tr"), page.locator("#call-detail")
    rows.nth(0).get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(rows.nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("heading", name="Call at")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(1).get_by_role("link")).to_be_focused()


def test_a_rarer_filter_is_chosen_within_the_menu(page: Page, logs: str) -> None:
    page.get_by_role("button", name="More").click()
    page.locator("#f-more").get_by_role("button", name="Error type").click()
    page.locator("#f-error_type").get_by_label("overloaded").check()
    page.locator("#f-error_type").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="1 call")).to_be_visible()


def test_a_bar_of_the_overview_leads_to_its_calls(page: Page, cast: Cast, logs: str) -> None:
    page.goto(reverse("usage:overview", args=[cast.team.slug]) + "?period=24h&granularity=day&compare=none")
    bars = page.locator("[data-chart=trend] .bars .point path")
    expect(bars.last).to_be_visible()
    box = bars.last.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 10)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 10)
    page.wait_for_url("**/logs/?from=*")
    expect(page.locator("#logs-title")).to_contain_text("call")


def test_the_page_of_a_call_stands_by_itself_after_a_reload(page: Page, logs: str) -> None:
    page.locator("#logs-rows tr").first.get_by_role("link").click()
    expect(page.locator("#call-detail")).to_contain_text("Try again later")
    page.reload()
    expect(page.locator("#call-detail")).to_contain_text("Try again later")
    page.get_by_role("link", name="Back to the logs").click()
    expect(page.get_by_role("heading", name="60 calls")).to_be_visible()


def test_a_chip_offers_what_occurs_and_can_be_taken_away(page: Page, logs: str) -> None:
    page.get_by_role("button", name="Model").click()
    menu = page.locator("#f-model")
    menu.get_by_role("searchbox").press_sequentially("house")
    expect(menu.get_by_label("gpt-4o-mini")).to_have_count(0)
    menu.get_by_label("house-model").check()
    menu.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="1 call")).to_be_visible()
    page.get_by_role("link", name="Remove filter Model house-model").click()
    expect(page.get_by_role("heading", name="60 calls")).to_be_visible()


def type_when(page: Page, event: Any, text: str) -> None:
    """Types into the menu of models as soon as htmx next tells `event`: at a moment no finger could be told to meet."""
    page.evaluate(
        """([event, text]) => document.addEventListener(event, () => queueMicrotask(() => {
            const field = document.querySelector("#find-model");
            field.value += text;
            field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }), { once: true })""",
        [event, text],
    )


def test_what_is_typed_the_moment_a_menu_arrives_is_searched_for(page: Page, logs: str) -> None:
    type_when(page, "htmx:afterSwap", "house")
    page.get_by_role("button", name="Model").click()
    menu = page.locator("#f-model")
    expect(menu.get_by_label("house-model")).to_be_visible()
    expect(menu.get_by_label("gpt-4o-mini")).to_have_count(0)


def test_what_is_typed_while_an_answer_is_under_way_is_not_lost(page: Page, logs: str) -> None:
    page.get_by_role("button", name="Model").click()
    field = page.locator("#f-model").get_by_role("searchbox")
    field.focus()
    type_when(page, "htmx:beforeRequest", "zzz")
    field.press_sequentially("gpt")
    expect(page.locator("#f-model").get_by_text("No matches.")).to_be_visible()
    expect(field).to_have_value("gptzzz")
    expect(field).to_be_focused()


def test_what_is_checked_stays_while_one_searches_on_also_for_the_ranking(
    page: Page, cast: Cast, logs: str
) -> None:
    page.goto(reverse("usage:ranking", args=[cast.team.slug]) + "?sort=p95")
    page.get_by_role("button", name="Token", exact=True).click()
    menu = page.locator("#f-token")
    menu.get_by_label("laptop").check()
    menu.get_by_role("searchbox").press_sequentially("nothing like it")
    expect(menu.get_by_text("No matches.")).to_be_visible()
    menu.get_by_role("button", name="Apply").click()

    page.wait_for_url("**/ranking/?sort=p95&token=tok_*")
    expect(page.get_by_role("link", name="Remove filter Token laptop")).to_be_visible()


def test_a_range_narrows_by_a_swap_and_back_shows_the_whole_page(page: Page, logs: str) -> None:
    page.get_by_role("button", name="Latency", exact=True).click()
    page.locator("#f-latency").get_by_label("At least").fill("5000")
    page.locator("#f-latency").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="10 calls")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="60 calls")).to_be_visible()
    expect(page.locator(".rail")).to_have_count(1)


def test_older_and_newer(page: Page, logs: str) -> None:
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#logs-rows tr")).to_have_count(10)
    page.get_by_role("link", name="Newer").click()
    expect(page.locator("#logs-rows tr")).to_have_count(50)


def test_new_calls_are_added_on_top_while_one_follows(
    page: Page, logs: str, report: Callable[..., None]
) -> None:
    page.get_by_role("link", name="Follow live").click()
    page.wait_for_url("**live=1*")
    report(2, model="arrived-just-now")
    expect(page.locator("#logs-rows tr").filter(has_text="arrived-just-now")).to_have_count(2, timeout=15_000)
    expect(page.locator("#logs-rows tr")).to_have_count(52)
    expect(page.get_by_role("heading", name="60 calls · 2 added since")).to_be_visible()
    report(1, model="arrived-later")
    expect(page.get_by_role("heading", name="60 calls · 3 added since")).to_be_visible(timeout=15_000)
    page.get_by_role("link", name="Pause").click()
    expect(page.locator("#logs-tail")).to_have_count(0)
    expect(page.get_by_role("heading", name="63 calls", exact=True)).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_row_one_reads_stays_where_it_is_when_new_calls_arrive_above_it(
    page: Page, logs: str, report: Callable[..., None], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 600})
    page.goto(f"{logs}?live=1")
    expect(page.locator("[data-chart=latency-bars] svg.main-svg >> nth=0")).to_be_visible()
    page.evaluate("document.querySelector('#logs-rows').rows[30].id = 'read'; scrollTo(0, 0)")
    read, rows = page.locator("#read"), page.locator("#logs-rows tr")
    read.evaluate("row => scrollBy(0, row.getBoundingClientRect().top - 200)")
    before = page.evaluate("scrollY")
    assert before > 700
    report(5, model="arrived-unseen")
    expect(rows.filter(has_text="arrived-unseen")).to_have_count(5, timeout=15_000)
    assert read.evaluate("row => row.getBoundingClientRect().top") == pytest.approx(200, abs=1)
    assert page.evaluate("scrollY") > before

    page.evaluate("scrollTo(0, 0)")
    report(2, model="arrived-seen")
    expect(rows.filter(has_text="arrived-seen")).to_have_count(2, timeout=15_000)
    assert page.evaluate("scrollY") == 0


def test_the_pages_of_the_logs_break_no_rule_at_any_width(
    page: Page, cast: Cast, logs: str, axe: Callable[[], None], each_look: Callable[[], Iterator[str]]
) -> None:
    first = Call.objects.filter(team_id=cast.team.pk).order_by("-id").first()
    detail = reverse("logs:detail", args=[cast.team.slug, first.id])
    choices = reverse("logs:choices", args=[cast.team.slug, "member"])
    for address in (f"{logs}?outcome=succeeded&latency_from=100", detail, choices):
        page.goto(address)
        for _look in each_look():
            axe()
