"""The start page, and the team that it remembers."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from teams.last_team import COOKIE
from teams.views.account import home
from tests.conftest import Cast


def overview(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse("overview")


def own_usage(request: HttpRequest) -> HttpResponse:
    return HttpResponse("own usage")


usage = ([path("me/", own_usage, name="me"), path("t/<slug:slug>/", overview, name="overview")], "usage")
urlpatterns = [
    path("", home, name="home"),
    path("", include(usage)),
    path("accounts/", include("allauth.urls")),
]


@pytest.fixture(autouse=True)
def two_pages(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


def test_a_first_visit_opens_ones_own_usage(client_of: Callable[..., Client]) -> None:
    assert client_of("member").get("/").headers["Location"] == "/me/"


def test_the_site_opens_at_the_team_that_was_looked_at_last(
    client_of: Callable[..., Client], cast: Cast
) -> None:
    client = client_of("member")
    client.get(f"/t/{cast.team.slug}/")
    assert client.get("/").headers["Location"] == f"/t/{cast.team.slug}/"


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_a_team_that_is_not_theirs_is_not_opened(
    name: str, client_of: Callable[..., Client], cast: Cast
) -> None:
    client = client_of(name)
    client.cookies[COOKIE] = cast.team.slug
    assert client.get("/").headers["Location"] == "/me/"


def test_a_team_is_remembered_once_and_out_of_reach_of_scripts(
    client_of: Callable[..., Client], cast: Cast
) -> None:
    client = client_of("member")
    assert client.get(f"/t/{cast.team.slug}/").cookies[COOKIE]["httponly"]
    assert COOKIE not in client.get(f"/t/{cast.team.slug}/").cookies


def test_somebody_signed_out_is_asked_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/").headers["Location"] == "/accounts/login/?next=/"
