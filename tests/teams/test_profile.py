"""The profile page and renaming a user."""

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from teams.actions.users import rename_user
from teams.activity import Actor
from teams.models import Activity
from tests.conftest import Cast

URL = "/accounts/profile/"


def test_the_page_shows_the_name_and_leads_to_the_other_pages_of_the_account(
    client_of: Callable[..., Client],
) -> None:
    page = client_of("member").get(URL).content.decode()
    assert 'value="Mia"' in page
    for name in ("account_email", "account_change_password", "mfa_index", "usersessions_list"):
        assert f'href="{reverse(name)}"' in page


def test_a_new_name_is_saved_and_said(client_of: Callable[..., Client], cast: Cast) -> None:
    response = client_of("member").post(URL, {"name": "  Mia Berg "}, follow=True)
    cast.member.refresh_from_db()
    assert cast.member.name == "Mia Berg"
    assert "Your name was changed." in response.content.decode()


def test_a_name_that_is_too_long_is_refused_in_place_and_kept(
    client_of: Callable[..., Client], cast: Cast
) -> None:
    response = client_of("member").post(URL, {"name": "M" * 101})
    assert response.status_code == 422
    assert "M" * 101 in response.content.decode()
    cast.member.refresh_from_db()
    assert cast.member.name == "Mia"


def test_the_page_is_for_people_who_are_signed_in(client: Client, db: None) -> None:
    assert client.get(URL).headers["Location"] == reverse("account_login") + "?next=" + URL


def test_renaming_leaves_one_row_of_activity(cast: Cast) -> None:
    by = Actor(cast.member, "192.0.2.1")
    rename_user(by=by, user=cast.member, name="Mia Berg")
    row = Activity.objects.get(kind="user.renamed")
    assert (row.actor, row.person, row.before, row.after) == (
        cast.member,
        cast.member,
        {"name": "Mia"},
        {"name": "Mia Berg"},
    )


def test_the_same_name_again_changes_nothing(cast: Cast) -> None:
    rename_user(by=Actor(cast.member), user=cast.member, name="Mia")
    assert not Activity.objects.filter(kind="user.renamed").exists()
