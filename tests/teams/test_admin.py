"""The Django admin: it shows all tables, and changes rows only by actions."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from teams.actions.gateway_keys import create_gateway_key
from teams.actions.invitations import create_link
from teams.actions.teams import delete_team
from teams.actions.transfers import offer_transfer
from teams.actions.users import create_user, remove_second_factors
from teams.activity import Actor
from teams.credentials import find_credential
from teams.errors import NotAllowedError
from teams.models import Activity, GatewayKey, Membership, Role, Team, Token, User
from teams.support_group import support_group
from tests.account_pages import add_second_factors
from tests.conftest import PASSWORD, Cast
from tests.teams.conftest import NOW, newest_activity, role_of
from usage.prices.models import Price
from usage.quotas.models import Balance

TABLES = ["user", "team", "membership", "token", "gatewaykey", "invitation", "transfer", "activity"]


@pytest.fixture
def root(cast: Cast) -> Client:
    user = create_user(email="root@example.org", is_staff=True, is_superuser=True, verified=True)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def act(root: Client) -> Callable[..., str]:
    """`act("user", "deactivate", user)`: runs an action of a list on a row and returns the next page."""

    def run(table: str, action: str, row: Any) -> str:
        data = {"action": action, "_selected_action": row.pk}
        return root.post(f"/admin/teams/{table}/", data, follow=True).content.decode()

    return run


@pytest.mark.parametrize("table", TABLES)
def test_every_table_can_be_looked_at_and_searched(
    root: Client, cast: Cast, token_of: Callable[..., tuple[Token, str]], table: str
) -> None:
    token_of("member")
    assert root.get(f"/admin/teams/{table}/").status_code == 200
    assert root.get(f"/admin/teams/{table}/", {"q": "harbour"}).status_code in {200, 302}


@pytest.mark.parametrize(("table", "row"), [("user", "member"), ("team", "team")])
def test_a_row_can_be_opened_but_not_edited_or_deleted(root: Client, cast: Cast, table: str, row: str) -> None:
    path = f"/admin/teams/{table}/{getattr(cast, row).pk}/"
    page = root.get(f"{path}change/").content.decode()
    assert 'name="_save"' not in page
    assert root.post(f"{path}change/", {"name": "Hacked"}).status_code == 403
    assert root.post(f"{path}delete/", {"post": "yes"}).status_code == 403


def test_no_digest_is_shown(root: Client, token_of: Callable[..., tuple[Token, str]]) -> None:
    token, _ = token_of("member")
    assert token.digest not in root.get(f"/admin/teams/token/{token.pk}/change/").content.decode()


# Everything in the admin but balances and prices, which are set by their actions and tested with them.
REGISTERED = [model for model in admin.site._registry if model not in {Balance, Price}]


def row_of(model: Any, cast: Cast, token_of: Any) -> Any:
    """A row of any registered table."""
    token_of("member")
    create_gateway_key(by=Actor(cast.owner), team=cast.team, name="LiteLLM")
    create_link(by=Actor(cast.owner), team=cast.team, role="member", now=NOW)
    offer_transfer(
        by=Actor(cast.owner),
        team=cast.team,
        successor=cast.administrator,
        typed_name=cast.team.name,
        now=timezone.now(),
    )
    add_second_factors(cast.member)
    support_group()
    SocialAccount.objects.create(user=cast.member, provider="oidc", uid="1")
    UserSession.objects.create(user=cast.member, ip="198.51.100.7", session_key="key-of-a-session")
    return model._default_manager.order_by("pk").last()


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_no_row_of_any_table_is_edited_or_deleted_by_hand(
    root: Client, cast: Cast, token_of: Callable[..., tuple[Token, str]], model: Any
) -> None:
    row = row_of(model, cast, token_of)
    before = list(model._default_manager.values())
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    everything = {field.name: "1" for field in model._meta.fields} | {"email": "evil@example.org"}
    assert root.get(f"{path}{row.pk}/change/").status_code == 200
    assert root.post(f"{path}{row.pk}/change/", everything).status_code == 403
    assert root.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    root.post(path, {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    root.post(path, everything | {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "Save"})
    if model not in {User, GatewayKey}:  # made by the actions
        assert root.post(f"{path}add/", everything).status_code == 403
    assert list(model._default_manager.values()) == before


def test_no_secret_is_shown(root: Client, cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    row_of(User, cast, token_of)
    secrets = ["key-of-a-session", str(Authenticator.objects.filter(type="totp").get().data["secret"])]
    for model in (Authenticator, UserSession):
        for row in model.objects.all():
            page = root.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/")
            assert not [secret for secret in secrets if secret in page.content.decode()]


def test_no_second_provider_can_be_added(root: Client) -> None:
    assert root.get("/admin/socialaccount/socialapp/add/").status_code == 404


def test_a_lost_device_is_no_longer_asked_for(act: Callable[..., str], cast: Cast, client: Client) -> None:
    add_second_factors(cast.member)
    act("user", "drop_factors", cast.member)
    assert newest_activity().kind == "user.second_factors_removed"
    client.post("/accounts/login/", {"login": cast.member.email, "password": PASSWORD})
    assert client.get("/me/").status_code == 200
    assert "has no second factor" in act("user", "drop_factors", cast.member)


def test_staff_drop_no_factor_of_a_superuser(staff: Actor) -> None:
    boss = create_user(email="boss@example.org", is_staff=True, is_superuser=True)
    add_second_factors(boss)
    with pytest.raises(NotAllowedError):
        remove_second_factors(by=staff, user=boss)
    assert Authenticator.objects.filter(user=boss).exists()


def test_a_user_is_deactivated_and_reactivated_by_the_actions(act: Callable[..., str], cast: Cast) -> None:
    act("user", "deactivate", cast.member)
    assert not User.objects.get(pk=cast.member.pk).is_active
    assert (newest_activity().kind, newest_activity().actor.email) == ("user.deactivated", "root@example.org")
    act("user", "reactivate", cast.member)
    assert User.objects.get(pk=cast.member.pk).is_active


def test_an_owner_cannot_be_deactivated_and_the_page_lists_their_teams(
    act: Callable[..., str], cast: Cast
) -> None:
    assert "Olivia owns Harbour Research" in act("user", "deactivate", cast.owner)
    assert User.objects.get(pk=cast.owner.pk).is_active


def test_a_team_is_passed_on_for_an_owner_who_is_gone(act: Callable[..., str], cast: Cast) -> None:
    act("membership", "make_owner", Membership.objects.get(team=cast.team, user=cast.member))
    assert role_of(cast.team, cast.member) == Role.OWNER
    assert role_of(cast.team, cast.owner) == Role.ADMINISTRATOR


def test_roles_are_changed_and_members_removed_but_never_the_owner(act: Callable[..., str], cast: Cast) -> None:
    mia = Membership.objects.get(team=cast.team, user=cast.member)
    act("membership", "make_administrator", mia)
    assert role_of(cast.team, cast.member) == Role.ADMINISTRATOR
    act("membership", "make_member", mia)
    act("membership", "remove", mia)
    assert role_of(cast.team, cast.member) is None
    page = act("membership", "remove", Membership.objects.get(team=cast.team, user=cast.owner))
    assert "transfer of ownership" in page
    assert role_of(cast.team, cast.owner) == Role.OWNER


def test_a_deleted_team_is_restored(act: Callable[..., str], cast: Cast) -> None:
    delete_team(by=Actor(cast.owner), team=cast.team, typed_name=cast.team.name, now=timezone.now())
    act("team", "restore", cast.team)
    assert Team.objects.get(pk=cast.team.pk).deleted_at is None


def test_tokens_and_keys_are_stopped(
    act: Callable[..., str], cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _ = token_of("owner")
    act("token", "disable", token)
    act("token", "enable", token)
    act("token", "revoke", token)
    assert Token.objects.get().state(NOW) == "revoked"


def test_a_user_is_made_with_a_personal_space(root: Client) -> None:
    root.post("/admin/teams/user/add/", {"email": "kim@example.org", "name": "Kim"})
    kim = User.objects.get(email="kim@example.org")
    assert kim.owned_teams.get().is_personal
    assert Activity.objects.filter(kind="user.created", person=kim).count() == 1


def test_a_new_user_gets_in_by_a_link_that_staff_pass_on(act: Callable[..., str], root: Client) -> None:
    root.post("/admin/teams/user/add/", {"email": "kim@example.org", "name": "Kim"})
    page = act("user", "make_password_link", User.objects.get(email="kim@example.org"))
    path = re.search(r"/accounts/password/reset/key/[\w-]+/", page)[0]
    client = Client()
    form = client.get(path, follow=True).request["PATH_INFO"]
    client.post(form, {"password1": "a fine long word", "password2": "a fine long word"})
    client.post("/accounts/login/", {"login": "kim@example.org", "password": "a fine long word"})
    assert client.get("/me/").status_code == 200


def test_an_address_is_confirmed_and_the_list_says_so(act: Callable[..., str], root: Client) -> None:
    kim = create_user(email="kim@example.org")
    assert root.get("/admin/teams/user/", {"q": "kim"}).content.count(b"icon-no.svg") == 2  # nor is she staff
    act("user", "confirm_address", kim)
    assert EmailAddress.objects.get(user=kim).verified
    assert root.get("/admin/teams/user/", {"q": "kim"}).content.count(b"icon-no.svg") == 1


def test_a_key_of_the_site_is_made_and_shown_once(act: Callable[..., str], root: Client) -> None:
    page = root.post("/admin/teams/gatewaykey/add/", {"name": "LiteLLM"}, follow=True).content.decode()
    secret = re.search(r"cb_gw_\w{40}", page)[0]
    key = find_credential(secret, timezone.now())
    assert (key.team, key.name) == (None, "LiteLLM")
    for action, state in [("disable", "disabled"), ("enable", "active"), ("revoke", "revoked")]:
        act("gatewaykey", action, key)
        assert GatewayKey.objects.get().state(timezone.now()) == state


def test_staff_without_the_permission_can_change_nothing(cast: Cast) -> None:
    user = create_user(email="sam@example.org", is_staff=True, verified=True)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    data = {"action": "deactivate", "_selected_action": cast.member.pk}
    assert client.post("/admin/teams/user/", data).status_code == 403
    assert User.objects.get(pk=cast.member.pk).is_active


def test_ones_own_password_is_changed_on_the_sites_own_page(root: Client) -> None:
    for response in (root.get("/admin/password_change/"), root.post("/admin/password_change/")):
        assert response["Location"] == "/accounts/password/change/"


def test_signing_in_goes_through_the_sites_own_page(db: None, client: Client) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert response["Location"].startswith("/accounts/login/")
