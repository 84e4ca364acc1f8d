"""The pages of django-allauth with our templates."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.account_pages import (
    ACCOUNT_PAGES,
    NOT_HTML,
    OPENID_CONNECT,
    account_url,
    add_second_factors,
    names_of_allauth,
)
from tests.conftest import PASSWORD, Cast


@pytest.fixture
def openid_connect(settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = OPENID_CONNECT


@pytest.fixture
def signed_in(cast: Cast) -> Client:
    """The browser of a user who has just reauthenticated, as the pages of two-factor sign-in require."""
    client = Client()
    client.post(reverse("account_login"), {"login": cast.member.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def test_the_table_knows_every_page() -> None:
    assert set(ACCOUNT_PAGES) == names_of_allauth()


@pytest.mark.parametrize("name", ACCOUNT_PAGES)
def test_a_page_answers_somebody_signed_out(name: Any, client: Client, db: None, openid_connect: None) -> None:
    response = client.get(account_url(name))
    assert response.status_code == ACCOUNT_PAGES[name][0]
    assert response.status_code == 302 or b"css/callboard.css" in response.content


@pytest.mark.parametrize("name", ACCOUNT_PAGES)
def test_a_page_answers_somebody_signed_in(
    name: Any, signed_in: Client, cast: Cast, openid_connect: None
) -> None:
    passkey = add_second_factors(cast.member)
    response = signed_in.get(account_url(name, passkey))
    assert response.status_code == ACCOUNT_PAGES[name][1]
    assert response.status_code == 302 or name in NOT_HTML or b"css/callboard.css" in response.content


def test_setting_up_an_authenticator_app_shows_its_code_as_an_image(signed_in: Client) -> None:
    response = signed_in.get(reverse("mfa_activate_totp"))
    assert b'<img class="qr" src="data:image/svg+xml' in response.content


def test_signing_in_stops_at_the_second_factor(cast: Cast, client: Client) -> None:
    add_second_factors(cast.member)
    response = client.post(
        reverse("account_login"), {"login": cast.member.email, "password": PASSWORD}, follow=True
    )
    assert response.request["PATH_INFO"] == reverse("mfa_authenticate")
    assert b"css/callboard.css" in response.content


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("open", "Create an account"),
        ("invitation", "You need an invitation to create an account"),
        ("closed", "Sign in"),
    ],
)
def test_the_sign_in_page_says_how_to_get_an_account(
    setting: str, text: str, client: Client, db: None, settings: Settings
) -> None:
    settings.SIGNUP = setting
    page = client.get(reverse("account_login")).content.decode()
    assert text in page
    assert ("New here?" in page) == (setting != "closed")


def test_the_sign_in_page_offers_the_provider_that_is_set(
    client: Client, db: None, openid_connect: None
) -> None:
    assert b"Continue with Harbour" in client.get(reverse("account_login")).content


def test_closed_sign_up_says_whom_to_ask(client: Client, db: None, settings: Settings) -> None:
    assert b"Ask the owner or an administrator" in client.get(reverse("account_signup")).content
    settings.SIGNUP = "closed"
    assert b"site administrators" in client.get(reverse("account_signup")).content
