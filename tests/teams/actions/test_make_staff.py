"""Giving users the rights of support staff, and removing them."""

from collections.abc import Callable
from typing import Any

import pytest

from teams.actions.staff import end_staff, make_staff
from teams.actions.users import create_user, deactivate_user
from teams.activity import SITE, Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import Activity, User
from teams.support_group import GROUP
from tests.conftest import Cast
from tests.teams.conftest import ADDRESS, NOW, newest_activity

NOTHING = {"site_staff": False, "support": False}
RIGHTS = {"site_staff": True, "support": True}


@pytest.fixture
def root(db: None) -> Actor:
    """A superuser at work in the Django admin."""
    user = create_user(email="root@example.org", is_staff=True, is_superuser=True, verified=True)
    return Actor(user, ADDRESS, as_staff=True)


def fresh(user: User) -> User:
    """The user, read again from the database, without cached permissions."""
    return User.objects.get(pk=user.pk)


def test_they_may_run_the_actions_of_the_admin_but_give_nobody_rights(cast: Cast, root: Actor) -> None:
    make_staff(by=root, user=cast.member)
    mia = fresh(cast.member)
    assert mia.is_staff
    assert not mia.is_superuser
    assert mia.has_perms(["teams.view_activity", "teams.change_user", "teams.add_user", "usage.change_balance"])
    for permission in (
        "auth.change_group",
        "auth.change_permission",
        "teams.add_gatewaykey",
        "teams.delete_user",
    ):
        assert not mia.has_perm(permission)


def test_it_is_recorded_with_before_and_after(cast: Cast, root: Actor) -> None:
    make_staff(by=root, user=cast.member)
    row = newest_activity()
    assert (row.kind, row.team, row.actor, row.person, row.ip) == (
        "user.made_staff",
        None,
        root.user,
        cast.member,
        ADDRESS,
    )
    assert (row.before, row.after) == (NOTHING, RIGHTS)
    end_staff(by=root, user=cast.member)
    row = newest_activity()
    assert (row.kind, row.before, row.after) == ("user.staff_ended", RIGHTS, NOTHING)


def test_staff_without_permissions_get_them(root: Actor) -> None:
    sam = create_user(email="sam@example.org", is_staff=True)
    assert not sam.has_perm("teams.change_user")
    make_staff(by=root, user=sam)
    assert fresh(sam).has_perm("teams.change_user")
    assert newest_activity().before == {"site_staff": True, "support": False}


def test_whose_rights_end_has_none_left_and_keeps_the_account(cast: Cast, root: Actor) -> None:
    make_staff(by=root, user=cast.member)
    end_staff(by=root, user=cast.member)
    mia = fresh(cast.member)
    assert mia.is_active
    assert not mia.is_staff
    assert not mia.get_all_permissions()


def test_doing_it_twice_writes_once(cast: Cast, root: Actor) -> None:
    for _ in range(2):
        make_staff(by=root, user=cast.member)
    for _ in range(2):
        end_staff(by=root, user=cast.member)
    assert Activity.objects.filter(kind__in=["user.made_staff", "user.staff_ended"]).count() == 2


@pytest.mark.parametrize("action", [make_staff, end_staff])
def test_a_superuser_is_not_changed(root: Actor, action: Any) -> None:
    boss = create_user(email="boss@example.org", is_staff=True, is_superuser=True)
    for user in (boss, root.user):
        with pytest.raises(ActionError, match="is a superuser"):
            action(by=root, user=user)
    assert fresh(boss).is_staff
    assert not fresh(boss).groups.exists()


def test_one_who_is_deactivated_gets_no_rights_but_loses_theirs(cast: Cast, root: Actor) -> None:
    make_staff(by=root, user=cast.member)
    deactivate_user(by=root, user=cast.member, now=NOW)
    end_staff(by=root, user=cast.member)
    assert not fresh(cast.member).is_staff
    with pytest.raises(ActionError, match="is deactivated"):
        make_staff(by=root, user=cast.member)
    assert not fresh(cast.member).is_staff


@pytest.mark.parametrize("action", [make_staff, end_staff])
def test_support_staff_cannot(cast: Cast, staff: Actor, root: Actor, action: Any) -> None:
    make_staff(by=SITE, user=staff.user)
    other = create_user(email="kim@example.org", is_staff=True)
    rows = Activity.objects.count()
    for user in (cast.member, staff.user, other):
        with pytest.raises(NotAllowedError):
            action(by=Actor(fresh(staff.user), as_staff=True), user=user)
    assert Activity.objects.count() == rows
    assert not fresh(cast.member).is_staff
    assert fresh(other).is_staff


@pytest.mark.parametrize("action", [make_staff, end_staff])
@pytest.mark.parametrize("who", ["owner", "administrator", "member", "former", "outsider"])
def test_nobody_else_can(cast: Cast, act: Callable[..., Actor], who: str, action: Any) -> None:
    with pytest.raises(NotAllowedError):
        action(by=act(who), user=cast.user(who))


def test_a_superuser_can_in_the_admin_only(cast: Cast, root: Actor) -> None:
    with pytest.raises(NotAllowedError):
        make_staff(by=Actor(root.user), user=cast.member)
    assert not fresh(cast.member).groups.filter(name=GROUP).exists()
