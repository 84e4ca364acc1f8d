"""Passkeys, with Chromium's own virtual authenticator and django-allauth's scripts: signing in, confirming."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from teams.models import Transfer
from teams.models.users import User
from tests.conftest import Cast

SETTINGS = "/t/harbour-research/settings/"


def sign_in_by_passkey(page: Page) -> None:
    page.context.clear_cookies()
    page.goto(f"{reverse('account_login')}?next={SETTINGS}")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda url: "login" not in url)


def offer(page: Page) -> None:
    page.locator("#transfer").get_by_label("Enter “Harbour Research” to confirm").fill("Harbour Research")
    page.get_by_role("button", name="Offer ownership").click()


@pytest.fixture
def without_password(cast: Cast, make_passkey: Callable[[User], None]) -> Any:
    """The owner, who has a passkey and no password any more."""
    make_passkey(cast.owner)
    cast.owner.set_unusable_password()
    cast.owner.save()
    return cast.owner


def test_a_passkey_is_made_and_opens_the_site(
    page: Page, cast: Cast, make_passkey: Callable[[User], None]
) -> None:
    make_passkey(cast.member)
    sign_in_by_passkey(page)
    expect(page.get_by_role("button", name="Mia")).to_be_visible()


def test_who_has_no_password_confirms_the_offer_of_the_team_by_passkey(
    page: Page, cast: Cast, without_password: Any, axe: Callable[[], None], complaints: list[str]
) -> None:
    sign_in_by_passkey(page)
    page.goto(SETTINGS)
    expect(page.get_by_label("Your password")).to_have_count(0)
    axe()
    offer(page)
    expect(page.get_by_role("alert")).to_contain_text("Confirm your identity first.")
    assert not Transfer.objects.exists()
    assert all("422" in complaint for complaint in complaints)
    complaints.clear()

    page.get_by_role("link", name="Confirm with your passkey").click()
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url("**/settings/#transfer")
    expect(page.get_by_text("You have confirmed your identity.")).to_be_visible()
    offer(page)
    expect(page.get_by_text("You have offered the ownership of this team to Adam.")).to_be_visible()
    assert Transfer.objects.get().offered_by == without_password


def test_who_has_both_may_prefer_the_passkey(
    page: Page, cast: Cast, make_passkey: Callable[[User], None], axe: Callable[[], None]
) -> None:
    make_passkey(cast.owner)
    sign_in_by_passkey(page)
    page.goto(SETTINGS)
    expect(page.get_by_label("Your password")).to_be_visible()
    axe()
    page.get_by_role("link", name="Confirm with your passkey").click()
    axe()
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url("**/settings/#transfer")
    offer(page)
    expect(page.get_by_text("You have offered the ownership of this team to Adam.")).to_be_visible()
