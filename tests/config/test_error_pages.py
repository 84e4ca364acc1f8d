"""Error pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.views import defaults

from config.views import csrf_failure
from teams.models.keys import Token
from tests.conftest import Cast


def test_an_address_that_does_not_exist_says_so_in_our_look(client: Client, db: None) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert b"This page does not exist" in response.content
    assert b"css/callboard.css" in response.content


@pytest.mark.parametrize(
    ("view", "status", "text"),
    [
        (defaults.bad_request, 400, "could not read this request"),
        (defaults.permission_denied, 403, "Your role does not allow this"),
    ],
)
def test_a_refusal_says_what_it_means(view: Any, status: int, text: str) -> None:
    response = view(RequestFactory().get("/"), Exception("inner detail"))
    assert response.status_code == status
    assert text in response.content.decode()
    assert "inner detail" not in response.content.decode()


def test_a_crash_is_answered_without_the_database() -> None:
    response = defaults.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()


def test_the_page_of_a_crash_needs_nothing_of_the_others() -> None:
    template: Any = get_template("500.html")
    assert "{% extends" not in template.template.source


def test_a_stale_form_is_told_to_try_again(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "a@b.example", "password": "x"})
    assert response.status_code == 403
    assert b"This form has expired" in response.content


def test_the_reason_of_a_stale_form_is_not_for_people() -> None:
    response = csrf_failure(RequestFactory().post("/"), "CSRF cookie not set.")
    assert b"CSRF" not in response.content


def test_an_address_with_too_many_parameters_is_refused_with_a_page(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    query = "&".join(f"x{n}=1" for n in range(1_001))
    response = client_of("member").get(f"/t/{cast.team.slug}/logs/?{query}")
    assert response.status_code == 400
    assert "could not read this request" in response.content.decode()


def test_the_api_refuses_too_many_parameters_in_its_own_shape(
    cast: Cast, client: Client, token_of: Callable[..., tuple[Token, str]]
) -> None:
    query = "&".join(f"x{n}=1" for n in range(1_001))
    headers = {"Authorization": f"Bearer {token_of('member')[1]}"}
    response = client.get(f"/api/v1/calls?{query}", headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_request")
