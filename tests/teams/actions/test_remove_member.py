"""Removing a member."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from teams.actions.members import add_member, remove_member
from teams.activity import SITE, Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ConflictError, NotAllowedError
from teams.models import Role, Team, User
from teams.models.keys import Token
from teams.models.transfers import Transfer
from teams.signals import member_left
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity, role_of


@pytest.fixture
def remove(cast: Cast, act: Callable[..., Actor]) -> Callable[..., None]:
    def go(by: str, user: str) -> None:
        return remove_member(by=act(by), team=cast.team, user=cast.user(user), now=NOW)

    return go


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_owner_and_administrator_can_remove_a_member(cast: Cast, remove: Callable[..., None], by: str) -> None:
    remove(by, "member")
    assert role_of(cast.team, cast.member) is None


@pytest.mark.parametrize(
    ("by", "user"),
    [
        ("administrator", "owner"),
        ("administrator", "administrator"),
        ("owner", "owner"),
        ("member", "administrator"),
        ("member", "member"),
        ("former", "member"),
        ("outsider", "member"),
    ],
)
def test_everybody_else_is_refused(cast: Cast, remove: Callable[..., None], by: str, user: str) -> None:
    role = role_of(cast.team, cast.user(user))
    with pytest.raises(NotAllowedError):
        remove(by, user)
    assert role_of(cast.team, cast.user(user)) == role


def test_the_owner_can_remove_an_administrator(cast: Cast, remove: Callable[..., None]) -> None:
    remove("owner", "administrator")
    assert role_of(cast.team, cast.administrator) is None


def test_the_tokens_of_the_person_stop_in_this_team_only(
    cast: Cast, remove: Callable[..., None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    add_member(by=SITE, team=cast.other_team, user=cast.member)
    _, here = token_of("member")
    _, there = token_of("member", team=cast.other_team)
    _, of_another = token_of("administrator")
    remove("owner", "member")
    with pytest.raises(RefusedKeyError):
        find_credential(here, NOW)
    assert [vars(find_credential(secret, NOW))["user_id"] for secret in (there, of_another)] == [
        cast.member.pk,
        cast.administrator.pk,
    ]


def test_tokens_stay_revoked_when_the_person_comes_back(
    cast: Cast, remove: Callable[..., None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    _, secret = token_of("member")
    remove("owner", "member")
    add_member(by=SITE, team=cast.team, user=cast.member)
    with pytest.raises(RefusedKeyError) as caught:
        find_credential(secret, NOW)
    assert caught.value.reason == "revoked"


def test_an_offer_of_the_team_to_the_person_is_cancelled(
    offered: Transfer, remove: Callable[..., None]
) -> None:
    remove("owner", "administrator")
    offered.refresh_from_db()
    assert offered.state(NOW) == "cancelled"


def test_the_activity_tells_the_role_and_how_many_tokens_stopped(
    cast: Cast, remove: Callable[..., None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token_of("member")
    token_of("member")
    remove("administrator", "member")
    row = newest_activity()
    assert (row.kind, row.actor, row.person) == ("member.removed", cast.administrator, cast.member)
    assert (row.before, row.after) == ({"role": Role.MEMBER}, {"tokens_revoked": 2})


def test_others_hear_of_it_inside_the_transaction(cast: Cast, remove: Callable[..., None]) -> None:
    heard = []

    def receive(sender: Any, team: Team, user: User, **kwargs: Any) -> None:
        heard.append((team, user))

    member_left.connect(receive)
    remove("owner", "member")
    member_left.disconnect(receive)
    assert heard == [(cast.team, cast.member)]


def test_a_second_removal_tells_that_the_person_is_gone(remove: Callable[..., None]) -> None:
    remove("owner", "member")
    with pytest.raises(ConflictError, match="no longer in this team"):
        remove("administrator", "member")


def test_the_person_gets_a_mail(
    has_mail: None,
    committed: Callable[..., Any],
    remove: Callable[..., None],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        remove("owner", "member")
    assert mailoutbox[0].to == ["mia@example.org"]
    assert "no longer work" in mailoutbox[0].body
