"""A site without a mail server: people can sign in, but an unverified address gives no access to teams."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from teams.actions.members import add_member
from teams.actions.users import confirm_address
from teams.activity import SITE
from teams.models import Activity, User
from tests.conftest import Cast
from tests.teams.conftest import role_of
from tests.teams.pages.conftest import text_of

KIM = "kim@example.org"
NEW = {"email": KIM, "password1": "a fine long word", "password2": "a fine long word"}


@pytest.fixture
def kim(settings: Settings, cast: Cast, client: Client) -> Client:
    """Kim's browser, after signing up."""
    settings.SIGNUP = "open"
    client.post("/accounts/signup/", NEW)
    return client


def confirmed(email: str) -> bool:
    return EmailAddress.objects.get(user=User.objects.get(email=email)).verified


def test_open_sign_up_leads_in_and_the_address_counts_as_unconfirmed(
    kim: Client, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    response = kim.get("/me/")
    assert response.status_code == 200
    assert "mail" not in text_of(response).lower()
    assert not confirmed(KIM)
    assert mailoutbox == []


def test_a_sign_up_is_recorded_with_its_address(kim: Client) -> None:
    row = Activity.objects.get(kind="user.created", person__email=KIM)
    assert (row.actor.email, row.ip) == (KIM, "127.0.0.1")


def test_a_link_without_an_address_leads_through_sign_up_into_the_team(
    cast: Cast, client: Client, invited: Callable[..., str]
) -> None:
    path = invited()
    client.get(path)
    assert client.post(f"/accounts/signup/?next={path}", NEW)["Location"] == path
    client.post(f"{path}accept/")
    kim = User.objects.get(email=KIM)
    assert role_of(cast.team, kim) == "member"
    assert not confirmed(KIM)


def test_the_secret_of_an_invitation_to_the_address_confirms_it(
    cast: Cast, client: Client, invited: Callable[..., str]
) -> None:
    path = invited(KIM)
    client.get(path)
    client.post(f"/accounts/signup/?next={path}", NEW)
    assert confirmed(KIM)


def test_an_unconfirmed_address_fits_no_invitation(
    kim: Client, cast: Cast, invited: Callable[..., str]
) -> None:
    path = invited(KIM)
    text = text_of(kim.get(path))
    assert "This is your address, but it is not verified yet." in text
    assert "Ask the site administrators to verify your address" in text
    kim.post(f"{path}accept/")
    assert role_of(cast.team, User.objects.get(email=KIM)) is None


def test_once_staff_vouch_for_it_it_does(kim: Client, cast: Cast, invited: Callable[..., str]) -> None:
    confirm_address(by=SITE, user=User.objects.get(email=KIM))
    kim.post(f"{invited(KIM)}accept/")
    assert role_of(cast.team, User.objects.get(email=KIM)) == "member"


def test_a_taken_address_is_told_at_once(kim: Client, db: None) -> None:
    response = Client().post("/accounts/signup/", NEW)
    assert "already registered" in text_of(response)
    assert User.objects.filter(email=KIM).count() == 1


def test_the_members_page_marks_an_address_that_nobody_confirmed(
    kim: Client, cast: Cast, page: Callable[..., str]
) -> None:
    add_member(by=SITE, team=cast.team, user=User.objects.get(email=KIM))
    assert page("owner", "members/").count("Not verified") == 1


def test_the_page_of_addresses_says_what_to_do_and_claims_no_mail(kim: Client) -> None:
    text = text_of(kim.get("/accounts/email/"))
    assert "This site has no mail server" in text
    assert "The site administrators can verify yours" in text
    assert "Send verification e-mail again" not in text
    kim.post("/accounts/reauthenticate/", {"password": NEW["password1"]})
    response = kim.post("/accounts/email/", {"action_add": "", "email": "kim@example.net"}, follow=True)
    assert "kim@example.net" in text_of(response)
    assert "sent" not in text_of(response)


def test_the_page_for_a_forgotten_password_says_whom_to_ask(client: Client, db: None) -> None:
    text = text_of(client.get("/accounts/password/reset/"))
    assert "This site has no mail server" in text
    assert "Send the link" not in text


def test_with_a_mail_server_the_address_must_be_confirmed_before_one_gets_in(
    settings: Settings, kim: Client
) -> None:
    """If a mail server is added later, users must verify their address at the next sign-in."""
    settings.HAS_MAIL, settings.ACCOUNT_EMAIL_VERIFICATION = True, "mandatory"
    client = Client()
    response = client.post("/accounts/login/", {"login": KIM, "password": NEW["password1"]}, follow=True)
    assert "Verify your address" in text_of(response)
    assert client.get("/me/").status_code == 302


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/password/reset/"])
def test_a_mail_server_that_does_not_answer_is_told_and_is_no_error(
    settings: Settings, cast: Cast, client: Client, path: str
) -> None:
    settings.HAS_MAIL, settings.ACCOUNT_EMAIL_VERIFICATION, settings.SIGNUP = True, "mandatory", "open"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    response = client.post(path, NEW if "signup" in path else {"email": cast.member.email}, follow=True)
    assert response.status_code == 200
    text = text_of(response)
    assert "The e-mail could not be sent." in text
    assert "Confirmation email sent" not in text
