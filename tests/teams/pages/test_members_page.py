"""The members page."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.members import add_member, remove_member
from teams.actions.users import create_user
from teams.activity import SITE, Actor
from teams.models import Role, User
from teams.models.keys import Token
from tests.conftest import Cast
from tests.teams.conftest import NOW, role_of
from tests.teams.pages.conftest import text_of


def test_it_lists_everybody_with_role(page: Callable[..., str]) -> None:
    text = page("administrator", "members/")
    assert "3 people in this team." in text
    for name, role in [("Olivia", "Owner"), ("Adam", "Administrator"), ("Mia", "Member")]:
        assert f"{name}{name.lower()}@example.org {role}" in text
    assert "fay@example.org" not in text


@pytest.mark.parametrize(
    ("query", "found"), [({"q": "MIA"}, "mia"), ({"q": "adam@"}, "adam"), ({"role": "owner"}, "olivia")]
)
def test_search_and_role_filter_narrow_the_list(
    page: Callable[..., str], query: dict[str, str], found: str
) -> None:
    text = page("owner", "members/", **query)
    names = {name for name in ("mia", "adam", "olivia") if f"{name}@example.org" in text.partition("Find")[2]}
    assert names == {found}


@pytest.mark.parametrize(
    ("state", "found"),
    [("active", {"mia", "olivia"}), ("deactivated", {"adam"}), ("unverified", {"olivia"})],
)
def test_members_are_filtered_by_the_state_of_their_account(
    cast: Cast, page: Callable[..., str], state: str, found: set[str]
) -> None:
    User.objects.filter(pk=cast.administrator.pk).update(is_active=False)
    EmailAddress.objects.filter(user=cast.owner).update(verified=False)
    text = page("owner", "members/", state=state).partition("Find")[2]
    assert {name for name in ("mia", "adam", "olivia") if f"{name}@example.org" in text} == found


def test_the_role_filter_keeps_the_search(client_of: Callable[..., Client]) -> None:
    html = client_of("owner").get("/t/harbour-research/members/", {"q": "mia", "state": "active"})
    assert "?q=mia&amp;state=active&amp;role=member" in html.content.decode()


def test_a_search_without_result_says_what_to_do(page: Callable[..., str]) -> None:
    assert "No members match" in page("owner", "members/", q="zoe")


def test_a_made_up_role_shows_its_error_in_the_page(page: Callable[..., str]) -> None:
    assert "not one of the available choices" in page("owner", "members/", state="asleep")
    assert "not one of the available choices" in page("owner", "members/", role="emperor")
    assert "Null characters" in page("owner", "members/", q="\x00")


def test_a_swap_brings_the_list_alone(cast: Cast, client_of: Callable[..., Client]) -> None:
    response = client_of("owner").get(
        "/t/harbour-research/members/", {"q": "mia"}, headers={"HX-Request": "true"}
    )
    assert response.content.decode().strip().startswith('<div id="teams-members"')
    assert "HX-Request" in response["Vary"]


def test_the_menu_offers_what_the_role_permits(client_of: Callable[..., Client]) -> None:
    mine = client_of("administrator").get("/t/harbour-research/members/").content.decode()
    assert mine.count("Make administrator") == 1  # Mia
    assert "Make member" not in mine
    assert mine.count("Remove from team") == 1
    assert (
        client_of("owner").get("/t/harbour-research/members/").content.decode().count("Remove from team") == 2
    )


def test_a_role_is_changed_with_one_click(cast: Cast, submit: Callable[..., Any]) -> None:
    response = submit("owner", f"members/{cast.member.public_id}/role/", role="administrator")
    assert role_of(cast.team, cast.member) == Role.ADMINISTRATOR
    assert "The role of Mia was changed." in text_of(response)


def test_an_administrator_cannot_touch_an_administrator_by_hand_made_posts(
    cast: Cast, submit: Callable[..., Any]
) -> None:
    for path in ("role/", "remove/"):
        response = submit("administrator", f"members/{cast.owner.public_id}/{path}", role="member")
        assert response.status_code == 403
    assert role_of(cast.team, cast.owner) == Role.OWNER


def test_a_role_that_is_none_is_told(cast: Cast, submit: Callable[..., Any]) -> None:
    assert "Choose administrator or member" in text_of(
        submit("owner", f"members/{cast.member.public_id}/role/")
    )


def test_the_day_of_the_last_call_is_shown_in_each_mode(
    cast: Cast, token_of: Callable[..., tuple[Token, str]], page: Callable[..., str]
) -> None:
    started = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # past midnight in Berlin, the team's zone
    call = ReportedCall(request_id="a", started_at=started, model="gpt-4o-mini")
    record_calls([call], by=Caller(token=token_of("member")[0]), now=started)
    assert page("owner", "members/").count("3 Mar 2026") == 1
    assert "3 Mar 2026" not in page("owner", "members/?mode=test")


def test_a_member_is_removed(cast: Cast, submit: Callable[..., Any]) -> None:
    assert "Mia was removed" in text_of(submit("owner", f"members/{cast.member.public_id}/remove/"))
    assert role_of(cast.team, cast.member) is None


def test_a_lost_race_tells_what_happened(cast: Cast, submit: Callable[..., Any]) -> None:
    remove_member(by=Actor(cast.owner), team=cast.team, user=cast.member, now=NOW)
    text = text_of(submit("administrator", f"members/{cast.member.public_id}/remove/"))
    assert "Mia is no longer in this team" in text


def test_strangers_cannot_be_named(cast: Cast, submit: Callable[..., Any]) -> None:
    assert submit("owner", f"members/{cast.outsider.public_id}/remove/").status_code == 404


def test_a_personal_space_has_no_such_page(cast: Cast, client_of: Callable[..., Client]) -> None:
    slug = cast.owner.owned_teams.get(is_personal=True).slug
    for path in ("members/", "invitations/"):
        assert client_of("owner").get(f"/t/{slug}/{path}").status_code == 403


def test_many_members_come_in_pages(page: Callable[..., str], cast: Cast) -> None:
    for n in range(60):
        user = create_user(email=f"n{n}@example.org", name=f"Nobody {n:02}")
        add_member(by=SITE, team=cast.team, user=user)
    first, second = page("owner", "members/"), page("owner", "members/", page="2")
    assert "63 people in this team." in first
    assert "Page 1 of 2" in first
    assert "Nobody 00" in first
    assert "Nobody 59" not in first
    assert "Nobody 59" in second
    assert "Page" not in page("owner", "members/", q="Nobody 5")
    assert "Page 2 of 2" in page("owner", "members/", page="99")
    assert "greater than or equal to 1" in page("owner", "members/", page="-1")
