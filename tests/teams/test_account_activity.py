"""Changes on the account pages of django-allauth, and their activity."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.socialaccount.models import SocialAccount
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from teams.actions.users import deactivate_user, make_password_link, reactivate_user
from teams.activity import SITE, Actor, record_activity
from teams.models import Activity, User
from teams.models.keys import Token
from teams.pages import activity as activity_pages
from tests.account_pages import OPENID_CONNECT, add_second_factors, registered_credential
from tests.conftest import PASSWORD, Cast
from tests.teams.conftest import ADDRESS, NOW, newest_activity
from tests.teams.pages.conftest import text_of

NEW = "a fine long word"
PAGE = "/accounts/activity/"


@pytest.fixture
def mia(cast: Cast) -> Client:
    """Mia's browser, with a known IP address; she has just reauthenticated."""
    client = Client(REMOTE_ADDR=ADDRESS)
    client.post(reverse("account_login"), {"login": cast.member.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def of_mia(cast: Cast) -> Callable[..., Activity]:
    """The one activity row of this kind, by Mia, about Mia, from her IP address."""

    def find(kind: str) -> Activity:
        row = Activity.objects.get(kind=kind, person=cast.member, ip=ADDRESS)
        assert (row.team, row.actor) == (None, cast.member)
        return row

    return find


def rows() -> int:
    return Activity.objects.count()


# --- Addresses ----------------------------------------------------------------------------------


def test_an_address_is_added_made_primary_and_the_old_one_removed(
    cast: Cast, mia: Client, of_mia: Callable[..., Activity]
) -> None:
    url = reverse("account_email")
    mia.post(url, {"action_add": "", "email": "mia@work.example"})
    added = of_mia("user.address_added")
    assert (added.subject, added.before, added.after) == (
        "mia@work.example",
        {},
        {"address": "mia@work.example"},
    )

    EmailAddress.objects.filter(email="mia@work.example").update(verified=True)
    mia.post(url, {"action_primary": "", "email": "mia@work.example"})
    changed = of_mia("user.address_changed")
    assert (changed.before, changed.after) == ({"address": "mia@example.org"}, {"address": "mia@work.example"})
    cast.member.refresh_from_db()
    assert cast.member.email == "mia@work.example"

    mia.post(url, {"action_remove": "", "email": "mia@example.org"})
    removed = of_mia("user.address_removed")
    assert (removed.subject, removed.before, removed.after) == (
        "mia@example.org",
        {"address": "mia@example.org"},
        {},
    )


def test_an_address_is_confirmed_by_the_link_in_the_mail(
    has_mail: None, mia: Client, of_mia: Callable[..., Activity], mailoutbox: list[EmailMultiAlternatives]
) -> None:
    mia.post(reverse("account_email"), {"action_add": "", "email": "mia@work.example"})
    link = re.search(r"/accounts/confirm-email/[-:\w]+/", str(mailoutbox[-1].body))[0]
    Client(REMOTE_ADDR=ADDRESS).post(link)
    row = of_mia("user.address_confirmed")
    assert (row.subject, row.before, row.after) == (
        "mia@work.example",
        {"confirmed": False},
        {"confirmed": True},
    )
    before = rows()
    Client().post(link)
    assert rows() == before


@pytest.mark.parametrize(
    "data",
    [
        {"action_add": "", "email": "no address"},
        {"action_add": "", "email": "mia@example.org"},
        {"action_primary": "", "email": "otto@example.org"},
        {"action_remove": "", "email": "mia@example.org"},
        {"action_remove": "", "email": "otto@example.org"},
    ],
)
def test_what_the_page_of_addresses_refuses_writes_nothing(mia: Client, data: dict[str, str]) -> None:
    before = rows()
    mia.post(reverse("account_email"), data)
    assert rows() == before


# --- Password -----------------------------------------------------------------------------------


def test_a_password_is_changed(cast: Cast, mia: Client, of_mia: Callable[..., Activity]) -> None:
    url = reverse("account_change_password")
    before = rows()
    mia.post(url, {"oldpassword": "wrong", "password1": NEW, "password2": NEW})
    assert rows() == before
    mia.post(url, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    row = of_mia("user.password_changed")
    assert (row.before, row.after) == ({}, {})
    cast.member.refresh_from_db()
    assert cast.member.check_password(NEW)


def test_a_first_password_is_set(cast: Cast, of_mia: Callable[..., Activity]) -> None:
    cast.member.set_unusable_password()
    cast.member.save()
    client = Client(REMOTE_ADDR=ADDRESS)
    client.force_login(cast.member, backend="django.contrib.auth.backends.ModelBackend")
    before = rows()
    client.post(reverse("account_set_password"), {"password1": NEW, "password2": "other"})
    assert rows() == before
    client.post(reverse("account_set_password"), {"password1": NEW, "password2": NEW})
    assert (of_mia("user.password_set").before, of_mia("user.password_set").after) == ({}, {})


def test_a_new_password_is_set_by_a_link(cast: Cast, staff: Actor, of_mia: Callable[..., Activity]) -> None:
    url = make_password_link(by=staff, user=cast.member)
    client = Client(REMOTE_ADDR=ADDRESS)
    form = client.get(url[url.index("/accounts/") :], follow=True).request["PATH_INFO"]
    before = rows()
    client.post(form, {"password1": NEW, "password2": "other"})
    assert rows() == before
    client.post(form, {"password1": NEW, "password2": NEW})
    assert of_mia("user.password_reset").subject == cast.member.email
    client.post(form, {"password1": "another word", "password2": "another word"})
    assert rows() == before + 1


# --- Two-factor sign-in -------------------------------------------------------------------------


@pytest.fixture
def make_app(settings: Settings) -> Callable[..., Any]:
    """`make_app(mia)`: sets up an authenticator app with a valid code."""
    settings.MFA_TOTP_TOLERANCE = 1  # the next code may have begun before this one is sent

    def by_the_page(client: Client) -> Any:
        url = reverse("mfa_activate_totp")
        secret = client.get(url).context["form"].secret
        _past, now, _next = yield_hotp_counters_from_time()
        return client.post(url, {"code": format_hotp_value(hotp_value(secret, now))})

    return by_the_page


def test_an_authenticator_app_is_set_up_and_taken_away(
    cast: Cast, mia: Client, make_app: Callable[..., Any]
) -> None:
    before = rows()
    mia.get(reverse("mfa_activate_totp"))
    mia.post(reverse("mfa_activate_totp"), {"code": "000"})
    assert rows() == before
    make_app(mia)
    added = Activity.objects.filter(kind="user.second_factor_added", actor=cast.member, ip=ADDRESS)
    assert {(row.subject, row.after["type"]) for row in added} == {
        ("authenticator app", "totp"),
        ("recovery codes", "recovery_codes"),
    }
    secret = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in str(list(added.values()))
    mia.post(reverse("mfa_deactivate_totp"))
    removed = Activity.objects.filter(kind="user.second_factor_removed", actor=cast.member, ip=ADDRESS)
    assert {(row.subject, row.before["type"]) for row in removed} == {
        ("authenticator app", "totp"),
        ("recovery codes", "recovery_codes"),
    }


def test_new_recovery_codes_are_made(cast: Cast, mia: Client, of_mia: Callable[..., Activity]) -> None:
    add_second_factors(cast.member)
    mia.post(reverse("mfa_generate_recovery_codes"))
    row = of_mia("user.second_factor_added")
    assert (row.subject, row.before, row.after) == ("recovery codes", {}, {"type": "recovery_codes"})


def test_a_passkey_is_made_renamed_and_removed(
    cast: Cast, mia: Client, of_mia: Callable[..., Activity]
) -> None:
    url = reverse("mfa_add_webauthn")
    before = rows()
    mia.get(url)
    mia.post(url, {"name": "Laptop", "credential": "{}"})
    assert rows() == before
    challenge = mia.session["mfa.webauthn.state"]["challenge"]
    credential = json.dumps(registered_credential(challenge))
    mia.post(url, {"name": "Laptop", "credential": credential})
    passkey = Authenticator.objects.get(type="webauthn")
    added = Activity.objects.get(kind="user.second_factor_added", subject="Laptop")
    assert (added.actor, added.ip, added.after) == (cast.member, ADDRESS, {"type": "webauthn"})

    edit = reverse("mfa_edit_webauthn", args=[passkey.pk])
    for name in ("Laptop", "", "Desktop"):
        mia.post(edit, {"name": name})
    renamed = of_mia("user.passkey_renamed")
    assert (renamed.before, renamed.after) == ({"name": "Laptop"}, {"name": "Desktop"})

    mia.post(reverse("mfa_remove_webauthn", args=[passkey.pk]))
    assert (
        Activity.objects.filter(kind="user.second_factor_removed", subject="Desktop", ip=ADDRESS).count() == 1
    )


def test_another_persons_passkey_is_not_there(cast: Cast, mia: Client) -> None:
    passkey = add_second_factors(cast.owner)
    before = rows()
    assert mia.post(reverse("mfa_edit_webauthn", args=[passkey]), {"name": "Mine"}).status_code == 404
    assert mia.post(reverse("mfa_remove_webauthn", args=[passkey])).status_code == 404
    assert rows() == before


def test_who_has_not_confirmed_that_it_is_they_changes_nothing(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    passkey = add_second_factors(cast.member)
    before = rows()
    for url in (
        reverse("mfa_deactivate_totp"),
        reverse("mfa_generate_recovery_codes"),
        reverse("mfa_remove_webauthn", args=[passkey]),
    ):
        assert "reauthenticate" in client_of("member").post(url)["Location"]
    assert rows() == before
    assert Authenticator.objects.filter(user=cast.member).count() == 3


# --- The account at the provider ----------------------------------------------------------------


def test_the_account_at_the_provider_is_disconnected(
    cast: Cast, mia: Client, of_mia: Callable[..., Activity], settings: Settings
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = OPENID_CONNECT
    connected = SocialAccount.objects.create(user=cast.member, provider="oidc", uid="1")
    foreign = SocialAccount.objects.create(user=cast.owner, provider="oidc", uid="2")
    url, before = reverse("socialaccount_connections"), rows()
    mia.post(url, {"account": foreign.pk})
    assert rows() == before
    mia.post(url, {"account": connected.pk})
    row = of_mia("user.account_disconnected")
    assert (row.subject, row.before, row.after) == ("oidc", {"provider": "oidc"}, {})


# --- Together or not at all ---------------------------------------------------------------------


@pytest.fixture
def broken_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**row: Any) -> None:
        raise RuntimeError("no row can be written")

    monkeypatch.setattr("teams.account_activity.record_activity", fail)


def test_a_change_whose_row_cannot_be_written_is_not_made(
    cast: Cast, mia: Client, broken_activity: None
) -> None:
    EmailAddress.objects.create(user=cast.member, email="mia@work.example", verified=True)
    passkey = add_second_factors(cast.member)
    mia.raise_request_exception = False
    for url, data in [
        (
            reverse("account_change_password"),
            {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
        ),
        (reverse("account_email"), {"action_primary": "", "email": "mia@work.example"}),
        (reverse("account_email"), {"action_remove": "", "email": "mia@work.example"}),
        (reverse("mfa_deactivate_totp"), {}),
        (reverse("mfa_generate_recovery_codes"), {}),
        (reverse("mfa_edit_webauthn", args=[passkey]), {"name": "Desktop"}),
        (reverse("mfa_remove_webauthn", args=[passkey]), {}),
    ]:
        kept = list(Authenticator.objects.order_by("pk").values())
        assert mia.post(url, data).status_code == 500, url
        assert list(Authenticator.objects.order_by("pk").values()) == kept
    cast.member.refresh_from_db()
    assert cast.member.check_password(PASSWORD)
    assert cast.member.email == "mia@example.org"
    assert EmailAddress.objects.filter(email="mia@work.example").exists()


def test_a_second_factor_whose_row_cannot_be_written_is_not_added(
    cast: Cast, mia: Client, make_app: Callable[..., Any], broken_activity: None
) -> None:
    mia.raise_request_exception = False
    assert make_app(mia).status_code == 500
    mia.get(reverse("mfa_add_webauthn"))
    credential = json.dumps(registered_credential(mia.session["mfa.webauthn.state"]["challenge"]))
    data = {"name": "Laptop", "credential": credential}
    assert mia.post(reverse("mfa_add_webauthn"), data).status_code == 500
    assert not Authenticator.objects.filter(user=cast.member).exists()


# --- The page -----------------------------------------------------------------------------------


def test_the_page_tells_in_words_what_happened_and_from_where(cast: Cast, mia: Client, staff: Actor) -> None:
    mia.post("/accounts/profile/", {"name": "Mia Berg"})
    make_password_link(by=staff, user=cast.member)
    mia.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    text = text_of(mia.get(PAGE))
    assert "Mia Berg changed the password" in text
    assert "Sam created a link to set a new password" in text
    assert "name: Mia → Mia Berg" in text
    assert "The site created the account mia@example.org" in text
    assert ADDRESS in text


def test_it_shows_nobody_elses_account_and_nothing_of_teams(
    cast: Cast, mia: Client, staff: Actor, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token_of("member")
    deactivate_user(by=staff, user=cast.former, now=NOW)
    reactivate_user(by=staff, user=cast.former)
    text = text_of(mia.get(PAGE))
    assert "token" not in text
    assert "activated" not in text
    sams = Client()
    sams.force_login(staff.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "activated" not in text_of(sams.get(PAGE))


def test_a_superuser_does_not_come_unnoticed(db: None) -> None:
    User.objects.create_superuser("root@example.org")
    assert (newest_activity().kind, newest_activity().after) == ("user.created", {"superuser": True})


def test_older_rows_are_a_page_away(cast: Cast, mia: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_pages, "PAGE", 2)
    for name in ("Mia B", "Mia C", "Mia D"):
        mia.post("/accounts/profile/", {"name": name})
    first = mia.get(PAGE)
    assert "Mia C → Mia D" in text_of(first)
    assert "Mia → Mia B" not in text_of(first)
    older = re.search(r'href="(\?before=\d+)" rel="next"', first.content.decode())[1]
    assert "Mia → Mia B" in text_of(mia.get(PAGE + older))
    assert "No more activity" in text_of(mia.get(PAGE, {"before": "0"}))


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30])
def test_a_page_that_cannot_be_is_told(mia: Client, before: str) -> None:
    assert "Please correct the error below" in text_of(mia.get(PAGE, {"before": before}))


def test_an_erased_team_is_told_to_who_owned_it(cast: Cast, client_of: Callable[..., Client]) -> None:
    record_activity(by=SITE, team=None, kind="team.purged", person=cast.owner, subject="Old Harbour")
    assert "The site permanently erased the deleted team Old Harbour" in text_of(client_of("owner").get(PAGE))
    assert newest_activity().kind == "team.purged"


def test_the_pages_of_the_account_lead_to_it(mia: Client) -> None:
    assert f'href="{PAGE}"' in mia.get(reverse("usersessions_list")).content.decode()
