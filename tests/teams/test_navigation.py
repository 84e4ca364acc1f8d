"""The links of the navigation: by role, by existing pages, by mode."""

from typing import Any

import pytest
from django.urls import include, path
from pytest_django import Settings

from teams import navigation
from teams.access import Access
from teams.models import Role
from tests.conftest import Cast


def page(request: Any, slug: str = "") -> None:
    raise AssertionError("only the address matters")


usage = (
    [path("me/", page, name="me")]
    + [path(f"t/<slug:slug>/{name}/", page, name=name) for name in ("overview", "ranking", "quotas")],
    "usage",
)
logs = ([path("t/<slug:slug>/logs/", page, name="list")], "logs")
teams = (
    [
        path("accounts/profile/", page, name="profile"),
        path("accounts/activity/", page, name="account-activity"),
    ]
    + [
        path(f"t/<slug:slug>/{name}/", page, name=name)
        for name in ("members", "invitations", "tokens", "activity", "settings")
    ],
    "teams",
)
urlpatterns = [
    path("", include(usage)),
    path("", include(logs)),
    path("", include(teams)),
    path("accounts/", include("allauth.urls")),
]
EVERYTHING = [
    "overview",
    "ranking",
    "logs",
    "members",
    "invitations",
    "tokens",
    "quotas",
    "activity",
    "settings",
]


@pytest.fixture
def all_pages(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


def keys(access: Access) -> list[str]:
    return [item.key for item in navigation.team_navigation(access, "", "live")]


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMINISTRATOR])
def test_owner_and_administrator_see_every_page(role: Role, cast: Cast, all_pages: None) -> None:
    assert keys(Access(cast.team, cast.owner, role)) == EVERYTHING


def test_a_member_sees_only_what_is_their_own(cast: Cast, all_pages: None) -> None:
    assert keys(Access(cast.team, cast.member, Role.MEMBER)) == ["overview", "logs", "tokens", "settings"]


def test_a_personal_space_has_nobody_to_manage(cast: Cast, all_pages: None) -> None:
    space = cast.member.owned_teams.get(is_personal=True)
    assert not {"members", "invitations"} & set(keys(Access(space, cast.member, Role.OWNER)))


def test_one_page_is_current_and_links_keep_test_mode(cast: Cast, all_pages: None) -> None:
    items = navigation.team_navigation(Access(cast.team, cast.owner, Role.OWNER), "logs", "test")
    assert [item.key for item in items if item.is_current] == ["logs"]
    assert {item.href.partition("?")[2] for item in items} == {"mode=test"}


def test_a_page_that_does_not_exist_has_no_link(cast: Cast, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.teams.urls_without_team_pages"
    assert keys(Access(cast.team, cast.owner, Role.OWNER)) == []


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/accounts/profile/", "profile"),
        ("/accounts/password/set/", "password"),
        ("/accounts/2fa/webauthn/", "2fa"),
        ("/accounts/sessions/", "sessions"),
        ("/accounts/activity/", "activity"),
    ],
)
def test_the_account_shows_its_pages_and_where_one_is(path: str, current: str, all_pages: None) -> None:
    items = navigation.personal_navigation("", path)
    pages = ["profile", "email", "password", "2fa", "sessions", "activity"]
    assert [item.key for item in items] == ["me", *pages]
    assert [item.key for item in items if item.is_current] == [current]


def test_connected_accounts_are_there_when_a_provider_is(all_pages: None, settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {}}
    assert navigation.personal_navigation("", "/accounts/email/")[-1].key == "3rdparty"


def test_ones_own_usage_leads_to_the_account(all_pages: None) -> None:
    items = navigation.personal_navigation("me", "/me/")
    assert [(item.key, item.is_current) for item in items] == [("me", True), ("profile", False)]
