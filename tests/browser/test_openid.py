"""OpenID Connect in a browser: the policy of the site lets its forms lead to the provider, and nowhere else."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from tests.account_pages import OPENID_CONNECT
from tests.conftest import Cast
from tests.openid import provider
from tests.openid_provider import CLIENT_SECRET


@pytest.fixture
def server(settings: Settings) -> Iterator[Any]:
    """The address of a running provider, which the site has."""
    with provider() as address:
        providers = copy.deepcopy(OPENID_CONNECT)
        (app,) = providers["openid_connect"]["APPS"]
        app["secret"], app["settings"] = CLIENT_SECRET, {"server_url": address, "oauth_pkce_enabled": True}
        settings.SOCIALACCOUNT_PROVIDERS = providers
        settings.CONTENT_SECURITY_POLICY = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
        yield address


def continue_as(page: Page, email: str) -> None:
    page.goto(reverse("account_login"))
    page.get_by_role("button", name="Continue with Harbour").click()
    page.get_by_label("Address").fill(email)
    page.get_by_role("button", name="Let me in").click()


def test_the_button_leads_to_the_provider_and_back_in(
    page: Page, cast: Cast, settings: Settings, server: Any, axe: Callable[[], None], complaints: list[str]
) -> None:
    settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(server)
    continue_as(page, "kim@example.org")
    expect(page.get_by_text("You need an invitation to create an account.")).to_be_visible()
    axe()
    continue_as(page, cast.member.email)
    # Without a mail server an account with a password is connected by its owner.
    expect(page.get_by_text("An account with mia@example.org already exists.")).to_be_visible()
    axe()
    assert all("403" in complaint for complaint in complaints)
    complaints.clear()
    cast.member.set_unusable_password()
    cast.member.save()
    continue_as(page, cast.member.email)
    expect(page.get_by_role("button", name="Mia")).to_be_visible()


def test_a_provider_that_the_policy_does_not_name_is_not_reached(
    page: Page, cast: Cast, server: Any, complaints: list[str]
) -> None:
    page.goto(reverse("account_login"))
    page.get_by_role("button", name="Continue with Harbour").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.wait_for_timeout(500)
    assert any("form-action" in complaint for complaint in complaints)
    complaints.clear()
