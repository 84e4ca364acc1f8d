"""The frame round a page of figures: swaps, Back, charts, mode, theme."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from teams.models.users import User
from tests.conftest import Cast

CHART = "[data-chart=trend]"
DRAWN = f"{CHART} svg.main-svg >> nth=0"


@pytest.fixture
def overview(
    page: Page, cast: Cast, token_of: Callable[..., tuple[Token, str]], sign_in: Callable[[User], None]
) -> str:
    """The address of a team with two calls, open in the browser of its owner."""
    now = timezone.now()
    calls = [
        ReportedCall(
            request_id=f"r{hours}", started_at=now - timedelta(hours=hours), model="gpt-4o-mini", latency_ms=800
        )
        for hours in (1, 30)
    ]
    record_calls(calls, by=Caller(token=token_of("member")[0]), now=now)
    sign_in(cast.owner)
    url = reverse("usage:overview", args=[cast.team.slug])
    page.goto(url)
    expect(page.locator(DRAWN)).to_be_visible()
    return url


def choose_30_days(page: Page) -> None:
    page.get_by_role("group", name="Time range").get_by_role("link", name="30 d").click()
    page.wait_for_url("**?period=30d*")
    expect(page.locator(DRAWN)).to_be_visible()


def test_a_swap_draws_its_charts_and_keeps_the_frame(page: Page, overview: str) -> None:
    page.evaluate("document.querySelector('.rail').dataset.kept = 'yes'")
    choose_30_days(page)
    expect(page.locator(".rail")).to_have_attribute("data-kept", "yes")


def test_back_shows_the_whole_page_with_its_charts(page: Page, overview: str) -> None:
    choose_30_days(page)
    page.go_back()
    expect(page.locator(DRAWN)).to_be_visible()
    expect(page.locator(".rail")).to_have_count(1)
    expect(page.get_by_role("link", name="7 d")).to_have_attribute("aria-current", "true")


def test_the_mode_switch_keeps_filters_that_were_set_by_a_swap(page: Page, overview: str) -> None:
    choose_30_days(page)
    page.get_by_role("navigation", name="Mode").get_by_role("link", name="Test").click()
    page.wait_for_url("**?period=30d&mode=test")
    page.get_by_role("link", name="Switch to live mode").click()
    page.wait_for_url("**?period=30d")


def test_a_theme_redraws_the_charts_in_its_colours(page: Page, overview: str) -> None:
    bar = page.locator(f"{CHART} .bars path").first
    before = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.get_by_role("button", name="Olivia").click()
    page.get_by_role("button", name="Dark").click()
    page.keyboard.press("Escape")
    expect(bar).not_to_have_css("fill", before)


def test_a_swap_that_fails_is_told_and_forgotten_with_the_next(
    page: Page, overview: str, complaints: list[str]
) -> None:
    page.context.set_offline(True)
    page.get_by_role("group", name="Time range").get_by_role("link", name="30 d").click()
    expect(page.get_by_text("Callboard did not respond")).to_be_visible()
    page.context.set_offline(False)
    choose_30_days(page)
    expect(page.get_by_text("Callboard did not respond")).to_be_hidden()
    expected = ("ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest")
    assert [one for one in complaints if not any(part in one for part in expected)] == []
    complaints.clear()


def test_an_ended_session_leads_to_the_sign_in_page(page: Page, overview: str) -> None:
    page.context.clear_cookies()
    page.get_by_role("group", name="Time range").get_by_role("link", name="30 d").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_without_javascript_the_phone_menu_is_open_and_the_figures_are_a_table(
    chromium: Browser, live_server: LiveServer, page: Page, overview: str
) -> None:
    context = chromium.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        storage_state=page.context.storage_state(),
        viewport={"width": 390, "height": 800},
    )
    plain = context.new_page()
    plain.goto(overview)
    expect(plain.get_by_role("link", name="Overview")).to_be_visible()
    plain.get_by_text("Show the charts as a table").click()
    expect(plain.locator("#figures table")).to_be_visible()
    context.close()
