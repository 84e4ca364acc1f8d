"""Who may run actions of the Django admin: superusers, support staff, staff without permissions."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from teams.actions.gateway_keys import create_gateway_key, disable_gateway_key
from teams.actions.members import change_role
from teams.actions.staff import make_staff
from teams.actions.teams import delete_team
from teams.actions.tokens import create_token, disable_token
from teams.actions.users import create_user, deactivate_user
from teams.activity import SITE
from teams.models import Activity, Membership, Role, User
from teams.support_group import GROUP, support_group
from tests.account_pages import add_second_factors
from tests.conftest import Cast

WHO = ("superuser", "support", "staff")
EVERYBODY_BUT_STAFF, SUPERUSER = (True, True, False), (True, False, False)
# Who may, on the row of an ordinary person. Rights in a team have nothing to do with those in the admin.
ACTIONS: dict[tuple[str, str], tuple[bool, ...]] = {
    ("teams.user", "deactivate"): EVERYBODY_BUT_STAFF,
    ("teams.user", "reactivate"): EVERYBODY_BUT_STAFF,
    ("teams.user", "confirm_address"): EVERYBODY_BUT_STAFF,
    ("teams.user", "make_password_link"): EVERYBODY_BUT_STAFF,
    ("teams.user", "drop_factors"): EVERYBODY_BUT_STAFF,
    ("teams.user", "make_staff"): SUPERUSER,
    ("teams.user", "end_staff"): SUPERUSER,
    ("teams.team", "restore"): EVERYBODY_BUT_STAFF,
    ("teams.membership", "make_owner"): EVERYBODY_BUT_STAFF,
    ("teams.membership", "make_administrator"): EVERYBODY_BUT_STAFF,
    ("teams.membership", "make_member"): EVERYBODY_BUT_STAFF,
    ("teams.membership", "remove"): EVERYBODY_BUT_STAFF,
    ("teams.token", "disable"): EVERYBODY_BUT_STAFF,
    ("teams.token", "enable"): EVERYBODY_BUT_STAFF,
    ("teams.token", "revoke"): EVERYBODY_BUT_STAFF,
    ("teams.gatewaykey", "disable"): EVERYBODY_BUT_STAFF,
    ("teams.gatewaykey", "enable"): EVERYBODY_BUT_STAFF,
    ("teams.gatewaykey", "revoke"): EVERYBODY_BUT_STAFF,
}
# Those on somebody's account. On site staff they are for superusers.
ON_ACCOUNTS = [action for table, action in ACTIONS if table == "teams.user"]


@pytest.fixture
def browser_of(db: None) -> Callable[[str], Client]:
    """`browser_of("support")`: a browser in which a superuser, support staff or mere staff is signed in."""

    def make(who: str) -> Client:
        user = create_user(email=f"{who}@example.org", is_staff=who != "support", verified=True)
        if who == "superuser":
            User.objects.filter(pk=user.pk).update(is_superuser=True)
        if who == "support":
            make_staff(by=SITE, user=user)
        client = Client()
        client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


def run(client: Client, table: str, action: str, row: Any) -> int:
    """Runs an action of a list on a row, and returns how many activity rows it wrote."""
    before = Activity.objects.count()
    data = {"action": action, "_selected_action": row.pk}
    client.post(f"/admin/{table.replace('.', '/')}/", data)
    return Activity.objects.count() - before


def account_for(action: str, email: str, rank: str = "") -> User:
    """A user that the action can change; `rank` is "superuser", "support" or ""."""
    user = create_user(email=email)
    add_second_factors(user)
    if rank == "superuser":
        User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    elif rank == "support" or action == "end_staff":
        make_staff(by=SITE, user=user)
    if action == "reactivate":
        deactivate_user(by=SITE, user=user, now=timezone.now())
    return User.objects.get(pk=user.pk)


def row_for(table: str, action: str, cast: Cast) -> Any:
    """A row that the action can change."""
    now = timezone.now()
    if table == "teams.user":
        return account_for(action, "kim@example.org")
    if table == "teams.team":
        delete_team(by=SITE, team=cast.team, typed_name=cast.team.name, now=now)
        return cast.team
    if table == "teams.membership":
        if action == "make_member":
            change_role(by=SITE, team=cast.team, user=cast.member, role=Role.ADMINISTRATOR, now=now)
        return Membership.objects.get(team=cast.team, user=cast.member)
    if table == "teams.token":
        token, _ = create_token(by=SITE, team=cast.team, user=cast.member, name="laptop")
        if action == "enable":
            disable_token(by=SITE, token=token, now=now)
        return token
    key, _ = create_gateway_key(by=SITE, team=cast.team, name="LiteLLM")
    if action == "enable":
        disable_gateway_key(by=SITE, key=key, now=now)
    return key


def test_every_action_of_the_admin_is_in_the_table() -> None:
    found = {
        (model._meta.label_lower, action)
        for model, page in admin.site._registry.items()
        for action in page.actions
    }
    assert found == set(ACTIONS)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("table", "action"), ACTIONS)
def test_everybody_may_what_the_table_says(
    cast: Cast, browser_of: Callable[[str], Client], table: Any, action: Any, who: str
) -> None:
    row = row_for(table, action, cast)
    assert bool(run(browser_of(who), table, action, row)) == ACTIONS[table, action][WHO.index(who)]


@pytest.mark.parametrize("who", ["support", "staff"])
@pytest.mark.parametrize("rank", ["superuser", "support"])
@pytest.mark.parametrize("action", ON_ACCOUNTS)
def test_nobody_but_superusers_touches_the_accounts_of_site_staff(
    cast: Cast, browser_of: Callable[[str], Client], action: Any, rank: str, who: str
) -> None:
    target = account_for(action, "boss@example.org", rank)
    before = User.objects.filter(pk=target.pk).values().get()
    assert run(browser_of(who), "teams.user", action, target) == 0
    assert User.objects.filter(pk=target.pk).values().get() == before
    assert Authenticator.objects.filter(user=target).count() == 3
    assert not EmailAddress.objects.filter(user=target, verified=True).exists()


@pytest.mark.parametrize("action", [action for action in ON_ACCOUNTS if action != "make_staff"])
def test_superusers_do_it_for_support_staff(
    cast: Cast, browser_of: Callable[[str], Client], action: Any
) -> None:
    target = account_for(action, "sam2@example.org", "support")
    assert run(browser_of("superuser"), "teams.user", action, target) == 1


def test_support_staff_look_at_everything_but_groups(cast: Cast, browser_of: Callable[[str], Client]) -> None:
    client = browser_of("support")
    for model in admin.site._registry:
        path = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
        assert client.get(path).status_code == (403 if model._meta.label == "auth.Group" else 200), path


def test_support_staff_do_not_see_what_is_for_superusers(
    cast: Cast, browser_of: Callable[[str], Client]
) -> None:
    assert b"Make support staff" in browser_of("superuser").get("/admin/teams/user/").content
    support = browser_of("support")
    page = support.get("/admin/teams/user/").content
    assert b"Deactivate" in page
    assert b"Make support staff" not in page
    assert b"Remove staff rights" not in page
    assert b"is_staff" not in support.get("/admin/teams/user/add/").content


def test_support_staff_make_users_but_no_staff(cast: Cast, browser_of: Callable[[str], Client]) -> None:
    data = {"email": "kim@example.org", "name": "Kim", "is_staff": "on", "is_superuser": "on"}
    browser_of("support").post("/admin/teams/user/add/", data)
    kim = User.objects.get(email="kim@example.org")
    assert (kim.is_staff, kim.is_superuser) == (False, False)


def test_superusers_make_support_staff_at_once(cast: Cast, browser_of: Callable[[str], Client]) -> None:
    browser_of("superuser").post("/admin/teams/user/add/", {"email": "kim@example.org", "is_staff": "on"})
    kim = User.objects.get(email="kim@example.org")
    assert kim.has_perm("teams.change_user")
    kinds = Activity.objects.filter(person=kim).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["user.created", "user.made_staff"]


def test_support_staff_make_no_key_of_the_whole_site(cast: Cast, browser_of: Callable[[str], Client]) -> None:
    assert browser_of("support").get("/admin/teams/gatewaykey/add/").status_code == 403


def test_whose_rights_end_is_out_of_the_admin_at_once(cast: Cast, browser_of: Callable[[str], Client]) -> None:
    support, root = browser_of("support"), browser_of("superuser")
    assert support.get("/admin/teams/user/").status_code == 200
    run(root, "teams.user", "end_staff", User.objects.get(email="support@example.org"))
    assert support.get("/admin/teams/user/").status_code == 302


def test_a_migration_mends_the_group(db: None) -> None:
    group = support_group()
    wanted = set(group.permissions.values_list("codename", flat=True))
    assert {"change_user", "change_balance", "view_activity"} <= wanted
    foreign = Permission.objects.get(codename="change_group")
    group.permissions.set([foreign])
    Permission.objects.filter(codename="view_activity").delete()  # as if its model had just come
    call_command("migrate", verbosity=0)
    assert set(group.permissions.values_list("codename", flat=True)) == wanted


def test_a_migration_makes_no_group(db: None) -> None:
    call_command("migrate", verbosity=0)
    assert not apps.get_model("auth", "Group").objects.filter(name=GROUP).exists()
