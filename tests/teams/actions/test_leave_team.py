"""Leaving a team."""

from collections.abc import Callable

import pytest

from teams.actions.members import leave_team
from teams.activity import Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ActionError, ConflictError
from teams.models import Team
from teams.models.keys import Token
from teams.models.transfers import Transfer
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity, role_of


@pytest.mark.parametrize("name", ["member", "administrator"])
def test_members_and_administrators_can_leave(
    cast: Cast, act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]], name: str
) -> None:
    _, secret = token_of(name)
    leave_team(by=act(name), team=cast.team, now=NOW)
    assert role_of(cast.team, cast.user(name)) is None
    with pytest.raises(RefusedKeyError):
        find_credential(secret, NOW)
    row = newest_activity()
    assert (row.kind, row.person, row.before) == ("member.left", cast.user(name), {"role": name})


def test_the_owner_must_transfer_the_team_first(cast: Cast, act: Callable[..., Actor]) -> None:
    with pytest.raises(ActionError, match="Transfer the ownership before you leave"):
        leave_team(by=act("owner"), team=cast.team, now=NOW)
    assert role_of(cast.team, cast.owner) == "owner"


def test_nobody_leaves_their_personal_space(cast: Cast, act: Callable[..., Actor]) -> None:
    with pytest.raises(ActionError, match="personal space"):
        leave_team(by=act("member"), team=Team.objects.get(owner=cast.member, is_personal=True), now=NOW)


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_who_is_not_in_the_team_is_told_so(cast: Cast, act: Callable[..., Actor], name: str) -> None:
    with pytest.raises(ConflictError):
        leave_team(by=act(name), team=cast.team, now=NOW)


def test_leaving_cancels_an_offer_of_the_team(cast: Cast, act: Callable[..., Actor], offered: Transfer) -> None:
    leave_team(by=act("administrator"), team=cast.team, now=NOW)
    offered.refresh_from_db()
    assert offered.state(NOW) == "cancelled"
