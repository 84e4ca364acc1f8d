"""The link to set a new password that site staff create for a user."""

from collections.abc import Callable

import pytest
from django.test import Client

from teams.actions.users import create_user, make_password_link
from teams.activity import Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import User
from tests.conftest import Cast
from tests.teams.conftest import newest_activity

NEW = {"password1": "a fine long word", "password2": "a fine long word"}


def open_link(url: str) -> tuple[Client, str]:
    """Opens the link and returns the URL of the form."""
    client = Client()
    return client, client.get(url[url.index("/accounts/") :], follow=True).request["PATH_INFO"]


def test_it_sets_a_password_once(staff: Actor, cast: Cast) -> None:
    url = make_password_link(by=staff, user=cast.member)
    client, form = open_link(url)
    client.post(form, NEW)
    assert User.objects.get(pk=cast.member.pk).check_password(NEW["password1"])
    client, form = open_link(url)
    client.post(form, {"password1": "another long word", "password2": "another long word"})
    assert User.objects.get(pk=cast.member.pk).check_password(NEW["password1"])


def test_it_is_recorded_without_the_link(staff: Actor, cast: Cast) -> None:
    url = make_password_link(by=staff, user=cast.member)
    row = newest_activity()
    assert (row.kind, row.actor, row.person) == ("user.password_link", staff.user, cast.member)
    assert url.rstrip("/").rpartition("-")[2] not in str([row.subject, row.before, row.after])


def test_a_new_password_signs_out_everybody_who_used_the_old_one(
    staff: Actor, cast: Cast, client_of: Callable[..., Client]
) -> None:
    before = client_of("member")
    client, form = open_link(make_password_link(by=staff, user=cast.member))
    client.post(form, NEW)
    assert before.get("/me/").status_code == 302


def test_one_who_is_deactivated_gets_none(staff: Actor, cast: Cast) -> None:
    User.objects.filter(pk=cast.member.pk).update(is_active=False)
    with pytest.raises(ActionError, match="is deactivated"):
        make_password_link(by=staff, user=cast.member)


def test_staff_cannot_become_superusers_by_it(staff: Actor) -> None:
    root = create_user(email="root@example.org", is_staff=True, is_superuser=True)
    with pytest.raises(NotAllowedError):
        make_password_link(by=staff, user=root)
    assert make_password_link(by=Actor(root, as_staff=True), user=staff.user)


@pytest.mark.parametrize("who", ["owner", "administrator", "member", "former", "outsider"])
def test_nobody_else_may(act: Callable[..., Actor], cast: Cast, who: str) -> None:
    with pytest.raises(NotAllowedError):
        make_password_link(by=act(who), user=cast.member)
