"""Deactivating and reactivating a user."""

from collections.abc import Callable

import pytest
from django.test import Client

from teams.actions.tokens import enable_token
from teams.actions.transfers import transfer_by_staff
from teams.actions.users import deactivate_user, reactivate_user
from teams.activity import Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ActionError, NotAllowedError
from teams.models import Activity, Role, Team, User
from teams.models.keys import Token
from teams.models.transfers import Transfer
from tests.conftest import PASSWORD, Cast
from tests.teams.conftest import NOW, newest_activity, role_of


def test_tokens_in_all_contexts_stop_at_once(
    cast: Cast, staff: Actor, token_of: Callable[..., tuple[Token, str]]
) -> None:
    _, in_team = token_of("member")
    _, in_own_space = token_of("member", team=Team.objects.get(owner=cast.member, is_personal=True))
    deactivate_user(by=staff, user=cast.member, now=NOW)
    for secret in (in_team, in_own_space):
        with pytest.raises(RefusedKeyError) as caught:
            find_credential(secret, NOW)
        assert caught.value.reason == "inactive"


def test_sessions_end_at_once(cast: Cast, staff: Actor, client: Client) -> None:
    client.post("/accounts/login/", {"login": "mia@example.org", "password": PASSWORD})
    assert "_auth_user_id" in client.session
    deactivate_user(by=staff, user=cast.member, now=NOW)
    assert "_auth_user_id" not in client.session


def test_the_person_cannot_sign_in_again(cast: Cast, staff: Actor, client: Client) -> None:
    deactivate_user(by=staff, user=cast.member, now=NOW)
    client.post("/accounts/login/", {"login": "mia@example.org", "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_who_owns_teams_is_refused_with_their_names(cast: Cast, staff: Actor) -> None:
    with pytest.raises(ActionError, match="Olivia owns Harbour Research"):
        deactivate_user(by=staff, user=cast.owner, now=NOW)
    transfer_by_staff(by=staff, team=cast.team, successor=cast.administrator, now=NOW)
    deactivate_user(by=staff, user=cast.owner, now=NOW)
    assert not User.objects.get(pk=cast.owner.pk).is_active


def test_an_offered_team_is_no_longer_offered_to_them(cast: Cast, staff: Actor, offered: Transfer) -> None:
    deactivate_user(by=staff, user=cast.administrator, now=NOW)
    offered.refresh_from_db()
    assert offered.state(NOW) == "cancelled"


def test_membership_and_history_stay(cast: Cast, staff: Actor) -> None:
    before = Activity.objects.count()
    deactivate_user(by=staff, user=cast.member, now=NOW)
    assert role_of(cast.team, cast.member) == Role.MEMBER
    assert Activity.objects.count() == before + 1
    assert (newest_activity().kind, newest_activity().person) == ("user.deactivated", cast.member)


@pytest.mark.parametrize("by", ["owner", "administrator", "member"])
def test_nobody_but_staff_can(cast: Cast, act: Callable[..., Actor], by: str) -> None:
    with pytest.raises(NotAllowedError):
        deactivate_user(by=act(by), user=cast.former, now=NOW)
    with pytest.raises(NotAllowedError):
        reactivate_user(by=act(by), user=cast.former)


def test_staff_cannot_shut_themselves_out(staff: Actor) -> None:
    with pytest.raises(ActionError, match="yourself"):
        deactivate_user(by=staff, user=staff.user, now=NOW)


def test_after_reactivation_tokens_wait_to_be_enabled(
    cast: Cast, act: Callable[..., Actor], staff: Actor, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, secret = token_of("member")
    deactivate_user(by=staff, user=cast.member, now=NOW)
    reactivate_user(by=staff, user=cast.member)
    with pytest.raises(RefusedKeyError) as caught:
        find_credential(secret, NOW)
    assert caught.value.reason == "disabled"
    enable_token(by=act("member"), token=token)
    assert find_credential(secret, NOW) == token


def test_doing_it_twice_writes_once(cast: Cast, staff: Actor) -> None:
    for _ in range(2):
        deactivate_user(by=staff, user=cast.member, now=NOW)
    for _ in range(2):
        reactivate_user(by=staff, user=cast.member)
    kinds = Activity.objects.filter(kind__in=["user.deactivated", "user.reactivated"])
    assert kinds.count() == 2
