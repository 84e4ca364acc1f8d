"""Signing in, the theme, the menu on a phone, and every page of the account in a real browser."""

from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from teams.models.users import User
from tests.account_pages import ACCOUNT_PAGES, NOT_HTML, OPENID_CONNECT, account_url, add_second_factors
from tests.conftest import PASSWORD, Cast


def test_signing_in_needs_only_the_keyboard(page: Page, cast: Cast) -> None:
    page.goto("/")
    page.get_by_label("Email").focus()
    page.keyboard.type(cast.owner.email)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Olivia")).to_be_visible()


def test_a_wrong_password_is_told(page: Page, cast: Cast) -> None:
    page.goto("/")
    page.get_by_label("Email").fill(cast.owner.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    expect(page.get_by_label("Email")).to_have_value(cast.owner.email)


def test_the_first_stop_of_the_keyboard_skips_to_the_content(
    page: Page, cast: Cast, sign_in: Callable[[User], None]
) -> None:
    sign_in(cast.owner)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_a_chosen_theme_stays(page: Page, cast: Cast, sign_in: Callable[[User], None]) -> None:
    sign_in(cast.owner)
    page.get_by_role("button", name="Olivia").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(reverse("mfa_index"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Olivia").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="System").click()
    page.reload()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")


def test_the_switcher_lists_contexts_with_roles_and_gives_focus_back(
    page: Page, cast: Cast, sign_in: Callable[[User], None]
) -> None:
    sign_in(cast.administrator)
    switcher = page.get_by_role("button", name="Personal space and all teams")
    switcher.press("Enter")
    menu = page.locator("#contexts")
    expect(menu).to_contain_text("Personal space")
    expect(menu.get_by_role("link", name="Harbour Research")).to_contain_text("Administrator")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(switcher).to_be_focused()


def test_the_menu_opens_and_closes_on_a_phone(page: Page, cast: Cast, sign_in: Callable[[User], None]) -> None:
    sign_in(cast.owner)
    page.set_viewport_size({"width": 390, "height": 800})
    link = page.get_by_role("link", name="Sessions")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_hidden()


def test_signing_out_is_one_button(page: Page, cast: Cast, sign_in: Callable[[User], None]) -> None:
    sign_in(cast.owner)
    page.get_by_role("button", name="Olivia").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_pages_before_signing_in_are_accessible_in_every_look(
    page: Page, db: None, axe: Callable[[], None], each_look: Callable[[], Iterator[str]]
) -> None:
    for name, (status, _signed_in) in ACCOUNT_PAGES.items():
        if status == 200 and not name.startswith("openid"):
            page.goto(account_url(name))
            for _look in each_look():
                axe()


def test_the_pages_of_an_account_are_accessible_in_every_look(
    page: Page,
    cast: Cast,
    sign_in: Callable[[User], None],
    confirm_password: Callable[[str], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
    settings: Settings,
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = OPENID_CONNECT
    sign_in(cast.member)
    confirm_password(reverse("mfa_activate_totp"))
    axe()
    passkey = add_second_factors(cast.member)
    for name, (_signed_out, status) in ACCOUNT_PAGES.items():
        if status == 200 and name not in NOT_HTML | {"openid_connect_callback"}:
            page.goto(account_url(name, passkey))
            for _look in each_look():
                axe()


def test_a_changed_name_stands_in_the_activity_which_is_accessible_in_every_look(
    page: Page,
    cast: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    sign_in(cast.member)
    page.get_by_label("Your name").fill("Mia Berg")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("row", name="Mia Berg changed the name")).to_contain_text("Mia → Mia Berg")
    for _look in each_look():
        axe()


@pytest.mark.parametrize("path", ["/nowhere/"])
def test_an_error_page_is_accessible(
    page: Page,
    db: None,
    path: str,
    complaints: list[str],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    page.goto(path)
    for _look in each_look():
        axe()
    assert all("404" in complaint for complaint in complaints)
    complaints.clear()
