"""A whole life in a team, by hand: sign up by invitation, join, be promoted, get the team, hand it on, leave."""

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from teams.actions.invitations import InvitationRequest, invite_by_email
from teams.activity import Actor
from teams.models import Membership, Role, Team
from tests.conftest import PASSWORD, Cast

TEAM = ["harbour-research"]


def members_menu(page: Page, name: str, item: str) -> None:
    page.goto(reverse("teams:members", args=TEAM))
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("button", name=item).click()


def offer_to(page: Page, password: str, person: str) -> None:
    page.goto(reverse("teams:settings", args=TEAM))
    page.get_by_label("New owner").select_option(label=person)
    page.locator("#transfer").get_by_label("Enter “Harbour Research” to confirm").fill("Harbour Research")
    page.get_by_label("Your password").fill(password)
    page.get_by_role("button", name="Offer ownership").click()
    expect(page.get_by_text("You have offered the ownership of this team")).to_be_visible()


def take_over(page: Page) -> None:
    page.goto(reverse("teams:tokens", args=TEAM))
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text("You now own Harbour Research.")).to_be_visible()


def switch_to(page: Page, email: str, password: str) -> None:
    page.context.clear_cookies()
    page.goto(reverse("account_login") + "?next=" + reverse("teams:profile"))
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**" + reverse("teams:profile"))


def test_from_the_invitation_to_the_farewell(page: Page, cast: Cast) -> None:
    people = [InvitationRequest("kim@example.org")]
    (invited,) = invite_by_email(by=Actor(cast.owner), team=cast.team, people=people, now=timezone.now())
    password = "a fine long word"

    # Without a mail server, as here, the inviter vouches for the address.
    page.goto(invited.link[invited.link.index("/invite/") :])
    page.get_by_role("link", name="Create an account and join").click()
    expect(page.get_by_label("Email")).to_have_value("kim@example.org")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password (again)").fill(password)
    page.get_by_role("button", name="Sign Up").click()
    page.get_by_role("button", name="Join Harbour Research").click()
    expect(page.get_by_text("You are now a member of Harbour Research.")).to_be_visible()

    switch_to(page, cast.owner.email, PASSWORD)
    members_menu(page, "kim@example.org", "Make administrator")
    offer_to(page, PASSWORD, "kim@example.org")

    switch_to(page, "kim@example.org", password)
    take_over(page)
    assert Team.objects.get(pk=cast.team.pk).owner.email == "kim@example.org"
    offer_to(page, password, "Olivia")

    switch_to(page, cast.owner.email, PASSWORD)
    take_over(page)

    switch_to(page, "kim@example.org", password)
    page.goto(reverse("teams:settings", args=TEAM))
    page.get_by_role("button", name="Leave team").click()
    expect(page.get_by_text("You left Harbour Research.")).to_be_visible()
    owners = Membership.objects.filter(team=cast.team, role=Role.OWNER).values_list("user__email", flat=True)
    assert list(owners) == ["olivia@example.org"]
    assert not Membership.objects.filter(team=cast.team, user__email="kim@example.org").exists()
