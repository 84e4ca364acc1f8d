"""Rate limits for signing in, signing up and resetting passwords, per IP address, with a message."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.conftest import PASSWORD, Cast
from tests.teams.pages.conftest import text_of

PROXY = "10.0.0.1"
# What is posted, another address each time, and how often one client may within a minute.
FORMS = {
    "/accounts/login/": ({"login": "{}@example.org", "password": "guess"}, 30),
    "/accounts/signup/": ({"email": "{}@example.org"}, 20),
    "/accounts/password/reset/": ({"email": "{}@example.org"}, 20),
}


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Settings, db: None) -> None:
    settings.TRUSTED_PROXIES, settings.SIGNUP = [PROXY], "open"


def post(path: str, data: dict[str, str], address: str) -> Any:
    return Client().post(path, data, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=address)


@pytest.mark.parametrize("path", FORMS)
def test_one_address_is_stopped_and_told_and_another_is_not(path: Any) -> None:
    data, most = FORMS[path]

    def attempt(number: int, address: str) -> Any:
        return post(path, {name: text.format(number) for name, text in data.items()}, address)

    for number in range(most):
        assert attempt(number, "198.51.100.7").status_code in {200, 302}
    response = attempt(most, "198.51.100.7")
    assert response.status_code == 429
    assert "Too many attempts" in text_of(response)
    assert attempt(most, "203.0.113.9").status_code in {200, 302}


def test_an_address_that_a_client_makes_up_does_not_count() -> None:
    data, most = FORMS["/accounts/signup/"]
    for number in range(most):
        post("/accounts/signup/", data, f"192.0.2.{number}, 198.51.100.7")
    assert post("/accounts/signup/", data, "192.0.2.99, 198.51.100.7").status_code == 429


def test_guessing_the_password_of_one_account_is_stopped_from_any_address(cast: Cast) -> None:
    wrong = {"login": cast.member.email, "password": "guess"}
    for number in range(5):
        post("/accounts/login/", wrong, f"198.51.100.{number}")
    response = post("/accounts/login/", wrong | {"password": PASSWORD}, "203.0.113.9")
    assert "Too many failed login attempts" in text_of(response)


def test_the_list_of_sessions_shows_the_clients_address_not_the_proxys(cast: Cast) -> None:
    client = Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR="198.51.100.7")
    client.post("/accounts/login/", {"login": cast.member.email, "password": PASSWORD})
    text = text_of(client.get("/accounts/sessions/"))
    assert "198.51.100.7" in text
    assert PROXY not in text


def test_ending_the_other_sessions_leaves_this_one(cast: Cast) -> None:
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post("/accounts/login/", {"login": cast.member.email, "password": PASSWORD})
    here.post("/accounts/sessions/")
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302
