"""The page of an invitation: signed in, signed out, by signing up, with the wrong account."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from teams.actions.invitations import revoke_invitation
from teams.activity import Actor
from teams.models import Invitation, Role, User
from teams.rate_limit import WRONG_A_MINUTE
from tests.conftest import PASSWORD, Cast
from tests.teams.conftest import role_of
from tests.teams.pages.conftest import text_of

NEW = {"email": "kim@example.org", "password1": "a fine long word", "password2": "a fine long word"}


def test_it_shows_team_role_inviter_and_what_joining_means(
    anonymous: Client, invited: Callable[..., str]
) -> None:
    text = text_of(anonymous.get(invited("fay@example.org", Role.ADMINISTRATOR)))
    for words in (
        "Join Harbour Research",
        "Olivia (olivia@example.org) has invited you.",
        "Administrator:",
        "The owner and administrators see your calls",
        "fay@example.org",
    ):
        assert words in text


def test_signed_in_one_click_joins(
    cast: Cast, client_of: Callable[..., Client], invited: Callable[..., str]
) -> None:
    path = invited("fay@example.org")
    client = client_of("former")
    assert "You are signed in as fay@example.org." in text_of(client.get(path))
    response = client.post(f"{path}accept/", follow=True)
    assert role_of(cast.team, cast.former) == Role.MEMBER
    assert "You are now a member of Harbour Research." in text_of(response)
    assert response.redirect_chain[0][0] == "/t/harbour-research/"


def test_signed_out_one_signs_in_and_comes_back(
    cast: Cast, anonymous: Client, invited: Callable[..., str]
) -> None:
    path = invited("fay@example.org")
    page = anonymous.get(path).content.decode()
    login = re.search(r'href="(/accounts/login/\?next=[^"]+)"', page)[1]
    response = anonymous.post(login, {"login": "fay@example.org", "password": PASSWORD})
    assert response["Location"] == path
    anonymous.post(f"{path}accept/")
    assert role_of(cast.team, cast.former) == Role.MEMBER


def test_signing_up_by_a_mailed_invitation_confirms_the_address(
    has_mail: None, cast: Cast, anonymous: Client, invited: Callable[..., str]
) -> None:
    path = invited("kim@example.org")
    page = anonymous.get(path).content.decode()
    signup = re.search(r'href="(/accounts/signup/\?next=[^"]+)"', page)[1].replace("&amp;", "&")
    assert 'value="kim@example.org"' in anonymous.get(signup).content.decode()
    response = anonymous.post(signup, NEW)
    assert response["Location"] == path
    kim = User.objects.get(email="kim@example.org")
    assert EmailAddress.objects.get(user=kim).verified
    assert kim.owned_teams.get().is_personal
    anonymous.post(f"{path}accept/")
    assert role_of(cast.team, kim) == Role.MEMBER


def test_signing_up_by_a_link_asks_to_confirm_the_address_and_comes_back(
    has_mail: None, cast: Cast, anonymous: Client, invited: Callable[..., str]
) -> None:
    path = invited()
    anonymous.get(path)
    anonymous.post(f"/accounts/signup/?next={path}", NEW)
    assert "_auth_user_id" not in anonymous.session
    confirm = re.search(r"/accounts/confirm-email/\S+", str(mail.outbox[-1].body))[0]
    anonymous.post(confirm)
    response = anonymous.post("/accounts/login/", {"login": NEW["email"], "password": NEW["password1"]})
    assert response["Location"] == path


def test_an_address_whose_mail_failed_must_still_be_confirmed(
    has_mail: None, anonymous: Client, invited: Callable[..., str]
) -> None:
    path = invited("kim@example.org")
    Invitation.objects.update(mail_error="Connection refused")
    anonymous.get(path)
    anonymous.post(f"/accounts/signup/?next={path}", NEW)
    assert not EmailAddress.objects.get(user=User.objects.get(email="kim@example.org")).verified


def test_an_invitation_opens_the_sign_up_to_its_address_only(
    anonymous: Client, invited: Callable[..., str]
) -> None:
    assert "Sign-up is closed" in text_of(anonymous.get("/accounts/signup/"))
    anonymous.get(invited("kim@example.org"))
    response = anonymous.post("/accounts/signup/", NEW | {"email": "lee@example.org"})
    assert "The invitation is for kim@example.org" in text_of(response)
    assert not User.objects.filter(email="lee@example.org").exists()


def test_a_revoked_invitation_opens_no_sign_up(
    cast: Cast, anonymous: Client, invited: Callable[..., str]
) -> None:
    anonymous.get(invited("kim@example.org"))
    revoke_invitation(by=Actor(cast.owner), invitation=Invitation.objects.get(), now=timezone.now())
    assert "Sign-up is closed" in text_of(anonymous.get("/accounts/signup/"))


def test_where_sign_up_is_closed_no_invitation_opens_it(
    settings: Settings, anonymous: Client, invited: Callable[..., str]
) -> None:
    settings.SIGNUP = "closed"
    path = invited("kim@example.org")
    assert "Create an account" not in text_of(anonymous.get(path))
    assert "Sign-up is closed" in text_of(anonymous.get("/accounts/signup/"))


def test_the_wrong_account_is_told_so_and_offered_to_switch(
    cast: Cast, client_of: Callable[..., Client], invited: Callable[..., str]
) -> None:
    path = invited("fay@example.org")
    client = client_of("outsider")
    text = text_of(client.get(path))
    assert "This invitation is for fay@example.org, but you are signed in as otto@example.org." in text
    assert "Join Harbour Research </button>" not in text
    client.post(f"{path}accept/")
    assert role_of(cast.team, cast.outsider) is None
    assert client.post(f"/accounts/logout/?next={path}")["Location"] == path


def test_who_is_a_member_already_is_led_to_the_team(
    client_of: Callable[..., Client], invited: Callable[..., str]
) -> None:
    assert "You are already in this team" in text_of(client_of("member").get(invited()))


@pytest.mark.parametrize("who", ["former", "anonymous"])
def test_it_can_be_declined_signed_in_or_not(
    client_of: Callable[..., Client], invited: Callable[..., str], who: str
) -> None:
    path = invited("fay@example.org")
    client = client_of(who)
    client.get(path)
    assert "You declined" in text_of(client.post(f"{path}decline/"))
    response = client.get(path)
    assert response.status_code == 410
    assert "This invitation was declined." in text_of(response)


@pytest.mark.parametrize(
    ("field", "words"),
    [("accepted_at", "already been accepted"), ("revoked_at", "was revoked"), ("expires_at", "has expired")],
)
def test_an_old_invitation_says_why_and_what_to_do(
    anonymous: Client, invited: Callable[..., str], field: str, words: str
) -> None:
    path = invited("kim@example.org")
    Invitation.objects.update(**{field: timezone.now() - timedelta(seconds=1)})
    response = anonymous.get(path)
    assert response.status_code == 410
    assert words in text_of(response)
    assert "can send a new invitation" in text_of(response)


@pytest.mark.parametrize("secret", ["made-up", "cb_live_x", "%00", "x" * 500])
def test_a_made_up_secret_gets_a_friendly_page(db: None, anonymous: Client, secret: str) -> None:
    response = anonymous.get(f"/invite/{secret}/")
    assert response.status_code == 404
    assert "does not exist" in text_of(response)


def test_guessing_is_stopped_but_nobody_elses_invitation(
    db: None, anonymous: Client, invited: Callable[..., str]
) -> None:
    path = invited()
    for number in range(WRONG_A_MINUTE):
        assert anonymous.get(f"/invite/guess-{number}/").status_code == 404
    assert anonymous.get("/invite/guess-again/").status_code == 429
    assert anonymous.get(path, REMOTE_ADDR="203.0.113.9").status_code == 200


def test_the_secret_lies_in_no_session(anonymous: Client, invited: Callable[..., str]) -> None:
    path = invited("kim@example.org")
    anonymous.get(path)
    assert path.split("/")[2] not in str(dict(anonymous.session))
