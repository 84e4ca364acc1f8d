"""Signing in by OpenID Connect, with a real provider in another process."""

import copy
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from teams.actions.members import add_member
from teams.actions.users import create_user, deactivate_user
from teams.activity import SITE
from teams.models import Activity, User
from tests.account_pages import OPENID_CONNECT, add_second_factors
from tests.conftest import PASSWORD, Cast
from tests.openid import provider
from tests.openid_provider import CLIENT_SECRET
from tests.teams.conftest import NOW, role_of
from tests.teams.pages.conftest import text_of

KIM = "kim@example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with provider() as address:
        yield address


@pytest.fixture(autouse=True)
def _openid(settings: Settings, server: Any, has_mail: None) -> None:
    """A site with the provider and a mail server."""
    providers = copy.deepcopy(OPENID_CONNECT)
    (app,) = providers["openid_connect"]["APPS"]
    app["secret"] = CLIENT_SECRET
    app["settings"] = {"server_url": server, "oauth_pkce_enabled": True}
    settings.SOCIALACCOUNT_PROVIDERS = providers


@pytest.fixture
def come(client: Client) -> Callable[..., Any]:
    """`come("kim@example.org")`: signs in at the provider as that person; returns the last page."""

    def through(
        email: str, browser: Client = client, next_url: str = "/me/", process: str = "login", **person: Any
    ) -> Any:
        start = browser.post(f"/accounts/oidc/oidc/login/?process={process}&next={next_url}")
        query: dict[str, Any] = dict(parse_qsl(urlsplit(start["Location"]).query))
        form = {"verified": "yes", **query, "email": email, **person}
        back = requests.post(start["Location"], data=form, allow_redirects=False, timeout=10)
        return browser.get(urljoin(start["Location"], back.headers["Location"]), follow=True)

    return through


def signed_in_as(browser: Client) -> str | None:
    user_id = browser.session.get("_auth_user_id")
    return User.objects.get(pk=user_id).email if user_id else None


# --- A new account ------------------------------------------------------------------------------


def test_by_invitation_somebody_new_gets_an_account_and_into_the_team(
    cast: Cast, client: Client, invited: Callable[..., str], come: Callable[..., Any]
) -> None:
    path = invited(KIM)
    client.get(path)
    response = come(KIM, next_url=path)
    assert response.request["PATH_INFO"] == path
    client.post(f"{path}accept/")
    kim = User.objects.get(email=KIM)
    assert role_of(cast.team, kim) == "member"
    assert kim.name == "Kim Lee"
    assert EmailAddress.objects.get(user=kim).verified
    assert kim.owned_teams.get().is_personal
    assert not kim.has_usable_password()
    assert Activity.objects.filter(kind="user.created", person=kim, actor=kim).count() == 1


def test_by_a_link_too(client: Client, invited: Callable[..., str], come: Callable[..., Any]) -> None:
    path = invited()
    client.get(path)
    come(KIM, next_url=path)
    assert signed_in_as(client) == KIM


def test_without_an_invitation_it_is_refused_in_words(
    db: None, client: Client, come: Callable[..., Any]
) -> None:
    response = come(KIM)
    assert "You need an invitation to create an account." in text_of(response)
    assert signed_in_as(client) is None
    assert not User.objects.filter(email=KIM).exists()


def test_an_invitation_opens_it_to_its_address_only(
    client: Client, invited: Callable[..., str], come: Callable[..., Any]
) -> None:
    client.get(invited(KIM))
    response = come("lee@example.org")
    assert response.status_code == 403
    assert f"The invitation that you opened is for {KIM}." in text_of(response)
    assert not User.objects.filter(email="lee@example.org").exists()


@pytest.mark.parametrize(("signup", "made"), [("open", True), ("invitation", False), ("closed", False)])
def test_the_policy_of_sign_up_counts(
    db: None, settings: Settings, client: Client, come: Callable[..., Any], signup: str, made: bool
) -> None:
    settings.SIGNUP = signup
    come(KIM)
    assert User.objects.filter(email=KIM).exists() == made
    assert (signed_in_as(client) == KIM) == made


def test_who_has_no_address_there_types_the_invited_one(
    cast: Cast, client: Client, invited: Callable[..., str], come: Callable[..., Any]
) -> None:
    client.get(invited(KIM))
    come("")
    form = "/accounts/3rdparty/signup/"
    assert f"The invitation is for {KIM}." in text_of(client.post(form, {"email": "lee@example.org"}))
    client.post(form, {"email": KIM})
    assert signed_in_as(client) == KIM
    assert User.objects.get(email=KIM).owned_teams.get().is_personal


@pytest.mark.parametrize("verified", ["no", "false"])
def test_an_address_that_the_provider_has_not_confirmed_must_be_confirmed_here(
    db: None,
    settings: Settings,
    client: Client,
    come: Callable[..., Any],
    mailoutbox: list[EmailMultiAlternatives],
    verified: str,
) -> None:
    settings.SIGNUP = "open"
    assert "Verify your address" in text_of(come(KIM, verified=verified))
    assert signed_in_as(client) is None
    assert mailoutbox[-1].to == [KIM]


# --- An account that is there -------------------------------------------------------------------


@pytest.mark.parametrize("signup", ["open", "invitation", "closed"])
def test_the_account_with_the_same_confirmed_address_is_opened_and_connected(
    cast: Cast, settings: Settings, client: Client, come: Callable[..., Any], signup: str
) -> None:
    settings.SIGNUP = signup
    come(cast.member.email.upper())
    assert signed_in_as(client) == cast.member.email
    assert SocialAccount.objects.get().user == cast.member
    assert User.objects.get(pk=cast.member.pk).check_password(PASSWORD)
    row = Activity.objects.get(kind="user.account_connected")
    assert (row.team, row.actor, row.person, row.ip) == (None, cast.member, cast.member, "127.0.0.1")
    assert (row.subject, row.before, row.after) == ("oidc", {}, {"provider": "oidc"})
    browser = Client()
    come(cast.member.email, browser)
    assert signed_in_as(browser) == cast.member.email


def test_one_made_by_staff_without_a_password_is_opened(
    db: None, client: Client, come: Callable[..., Any]
) -> None:
    create_user(email="Kim@Example.org", verified=True)
    come(KIM)
    assert signed_in_as(client) == KIM


@pytest.mark.parametrize("signup", ["open", "invitation", "closed"])
def test_an_account_that_never_confirmed_the_address_is_not_handed_over(
    db: None, settings: Settings, client: Client, come: Callable[..., Any], signup: str
) -> None:
    settings.SIGNUP = signup
    squatter = create_user(email=KIM, password=PASSWORD)
    EmailAddress.objects.create(user=squatter, email=KIM, verified=False, primary=True)
    response = come(KIM)
    assert response.status_code == 403
    assert f"An account with {KIM} already exists." in text_of(response)
    assert signed_in_as(client) is None
    assert User.objects.get(email=KIM).check_password(PASSWORD)
    assert not SocialAccount.objects.exists()


def test_an_address_that_the_provider_has_not_confirmed_opens_no_account(
    cast: Cast, settings: Settings, client: Client, come: Callable[..., Any]
) -> None:
    settings.SIGNUP = "open"
    come(cast.member.email, verified="no")
    assert signed_in_as(client) is None
    assert not SocialAccount.objects.exists()


def test_without_a_mail_server_an_account_with_a_password_is_connected_by_its_owner(
    cast: Cast, settings: Settings, client: Client, come: Callable[..., Any]
) -> None:
    """Addresses are not verified by e-mail there, which is not enough to connect an existing account."""
    settings.HAS_MAIL = False
    assert "then connect Harbour under “Connected accounts”" in text_of(come(cast.member.email))
    assert signed_in_as(client) is None
    client.post("/accounts/login/", {"login": cast.member.email, "password": PASSWORD})
    come(cast.member.email, process="connect")
    assert SocialAccount.objects.get().user == cast.member
    browser = Client()
    come(cast.member.email, browser)
    assert signed_in_as(browser) == cast.member.email


def test_who_is_deactivated_stays_out(cast: Cast, client: Client, come: Callable[..., Any]) -> None:
    deactivate_user(by=SITE, user=cast.member, now=NOW)
    come(cast.member.email)
    assert signed_in_as(client) is None


def test_the_second_factor_is_asked_all_the_same(cast: Cast, client: Client, come: Callable[..., Any]) -> None:
    add_second_factors(cast.member)
    response = come(cast.member.email)
    assert response.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    assert signed_in_as(client) is None


def test_an_opened_invitation_of_somebody_else_keeps_nobody_out_of_their_account(
    cast: Cast, client: Client, invited: Callable[..., str], come: Callable[..., Any]
) -> None:
    client.get(invited(KIM))
    come(cast.member.email)
    assert signed_in_as(client) == cast.member.email


# --- What is not believed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "signature",
        "audience",
        "issuer",
        "expired",
        "unsigned",
        "public key as secret",
        "subject",
        "no token",
        "refused",
    ],
)
def test_a_wrong_token_is_refused_in_words(
    cast: Cast, client: Client, come: Callable[..., Any], fault: str
) -> None:
    response = come(cast.member.email, fault=fault)
    assert response.status_code == 401
    assert "The identity provider returned an error" in text_of(response)
    assert signed_in_as(client) is None
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "HS256"])
def test_each_kind_of_signature_is_understood(
    cast: Cast, client: Client, come: Callable[..., Any], algorithm: str
) -> None:
    come(cast.member.email, algorithm=algorithm)
    assert signed_in_as(client) == cast.member.email


def test_who_stops_there_is_told_that_nothing_changed(
    cast: Cast, client: Client, come: Callable[..., Any]
) -> None:
    assert "You cancelled signing in at the identity provider." in text_of(
        come(cast.member.email, fault="denied")
    )


def test_an_answer_without_the_state_of_this_browser_is_refused(
    cast: Cast, client: Client, come: Callable[..., Any]
) -> None:
    response = client.get("/accounts/oidc/oidc/login/callback/?code=x&state=made-up")
    assert response.status_code == 401
    assert signed_in_as(client) is None


@pytest.mark.parametrize("path", ["", "/authorize"])
def test_a_provider_that_is_down_or_is_none_is_told(
    db: None, settings: Settings, client: Client, server: Any, path: str
) -> None:
    (app,) = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    address = f"{server}/.well-known/../keys" if path else "http://127.0.0.1:1"
    app["settings"]["server_url"] = address
    response = client.post("/accounts/oidc/oidc/login/")
    assert response.status_code == 401
    assert "The identity provider returned an error" in text_of(response)


def test_another_provider_is_not_found(db: None, client: Client) -> None:
    assert client.post("/accounts/oidc/elsewhere/login/").status_code == 404
    assert client.get("/accounts/oidc/elsewhere/login/callback/").status_code == 404


# --- Confirming that it is you ------------------------------------------------------------------


def test_who_has_only_the_provider_confirms_an_offer_by_signing_in_there_again(
    cast: Cast, client: Client, come: Callable[..., Any]
) -> None:
    cast.owner.set_unusable_password()
    cast.owner.save()
    client.force_login(cast.owner, backend="django.contrib.auth.backends.ModelBackend")
    data = {"transfer-successor": cast.administrator.public_id, "transfer-typed_name": "Harbour Research"}
    response = client.post("/t/harbour-research/transfer/offer/", data)
    assert "Confirm your identity first." in text_of(response)
    assert "Confirm with Harbour" in text_of(response)
    come(cast.owner.email, next_url="/t/harbour-research/settings/")
    response = client.post("/t/harbour-research/transfer/offer/", data, follow=True)
    assert "You offered the ownership of the team to Adam." in text_of(response)


def test_a_member_by_the_provider_is_a_member_like_any(
    cast: Cast, client: Client, settings: Settings, come: Callable[..., Any]
) -> None:
    settings.SIGNUP = "open"
    come(KIM)
    add_member(by=SITE, team=cast.team, user=User.objects.get(email=KIM))
    assert client.get("/t/harbour-research/tokens/").status_code == 200
