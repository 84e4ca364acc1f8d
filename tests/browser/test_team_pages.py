"""The pages of a team in a real browser: no complaint, no rule of accessibility broken, nothing too wide."""

from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from teams.actions.gateway_keys import create_gateway_key
from teams.actions.invitations import InvitationRequest, create_link, invite_by_email
from teams.actions.tokens import create_token
from teams.actions.transfers import offer_transfer
from teams.activity import SITE, Actor
from teams.models.keys import Token
from teams.models.users import User
from tests.conftest import Cast

PAGES = ["members", "invitations", "tokens", "activity", "settings"]


@pytest.fixture
def lived_in(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> Cast:
    """The team with one of each thing that its pages list."""
    by, now = Actor(cast.owner), timezone.now()
    token_of("owner")
    token_of("member")
    create_gateway_key(by=SITE, team=cast.team, name="LiteLLM")
    invite_by_email(by=by, team=cast.team, people=[InvitationRequest("kim@example.org")], now=now)
    create_link(by=by, team=cast.team, role="member", now=now, max_uses=10)
    return cast


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_team_is_accessible_in_every_look(
    page: Page,
    lived_in: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
    name: str,
) -> None:
    sign_in(lived_in.owner)
    page.goto(reverse(f"teams:{name}", args=["harbour-research"]))
    for _look in each_look():
        axe()


def test_the_banner_of_an_offer_and_the_settings_of_a_successor(
    page: Page,
    lived_in: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    offer_transfer(
        by=Actor(lived_in.owner),
        team=lived_in.team,
        successor=lived_in.administrator,
        typed_name=lived_in.team.name,
        now=timezone.now(),
    )
    sign_in(lived_in.administrator)
    page.goto(reverse("teams:settings", args=["harbour-research"]))
    expect(page.get_by_text("has offered you the ownership")).to_be_visible()
    for _look in each_look():
        axe()


def test_an_invitation_is_accessible_in_every_look(
    page: Page, cast: Cast, axe: Callable[[], None], each_look: Callable[[], Iterator[str]]
) -> None:
    _, link = create_link(by=Actor(cast.owner), team=cast.team, role="member", now=timezone.now())
    page.goto(link[link.index("/invite/") :])
    for _look in each_look():
        axe()


def test_a_new_secret_is_shown_with_its_commands(
    page: Page,
    lived_in: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    sign_in(lived_in.member)
    page.goto(reverse("teams:tokens", args=["harbour-research"]))
    page.get_by_label("Name", exact=True).first.fill("laptop")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("#new-secret")).to_contain_text("cb_live_")
    for _look in each_look():
        axe()


def test_a_filter_swaps_the_list_and_back_brings_the_whole_page(
    page: Page, lived_in: Cast, sign_in: Callable[[User], None]
) -> None:
    sign_in(lived_in.owner)
    page.goto(reverse("teams:members", args=["harbour-research"]))
    page.get_by_role("navigation", name="Role").get_by_role("link", name="Administrator").click()
    page.wait_for_url("**role=administrator")
    expect(page.locator("tbody th[scope=row]")).to_have_count(1)
    page.go_back()
    expect(page.locator("tbody th[scope=row]")).to_have_count(3)
    expect(page.get_by_role("button", name="Olivia olivia")).to_be_visible()


def test_many_invitations_and_keys_are_paged_by_swaps_and_links(
    page: Page,
    lived_in: Cast,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    by, now = Actor(lived_in.owner), timezone.now()
    people = [InvitationRequest(f"kim{n:02}@example.org") for n in range(60)]
    invite_by_email(by=by, team=lived_in.team, people=people, now=now)
    for n in range(60):
        create_gateway_key(by=SITE, team=lived_in.team, name=f"gateway {n:02}")
        create_token(by=SITE, team=lived_in.team, user=lived_in.owner, name=f"token {n:02}")
    sign_in(lived_in.owner)
    page.goto(reverse("teams:invitations", args=["harbour-research"]))
    page.get_by_role("link", name="Pending").click()
    page.wait_for_url("**?state=pending")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**?state=pending&page=2")
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(page.locator("tbody th[scope=row]")).to_have_count(12)
    for _look in each_look():
        axe()

    page.goto(reverse("teams:tokens", args=["harbour-research"]))
    keys = page.get_by_role("navigation", name="Pages of gateway keys")
    keys.get_by_role("link", name="Next").click()
    page.wait_for_url("**?keys=2#gateway-keys")
    expect(page.get_by_text("gateway 05")).to_be_visible()
    for _look in each_look():
        axe()
