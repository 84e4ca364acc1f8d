"""Transfer of a team by site staff."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from teams.actions.transfers import transfer_by_staff
from teams.activity import Actor
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Role, Team, User
from teams.models.transfers import Transfer
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity, role_of


@pytest.mark.parametrize("successor", ["administrator", "member"])
def test_staff_make_a_member_the_owner_at_once(cast: Cast, staff: Actor, successor: str) -> None:
    transfer_by_staff(by=staff, team=cast.team, successor=cast.user(successor), now=NOW)
    cast.team.refresh_from_db()
    assert cast.team.owner == cast.user(successor)
    assert role_of(cast.team, cast.user(successor)) == Role.OWNER
    assert role_of(cast.team, cast.owner) == Role.ADMINISTRATOR
    assert (newest_activity().kind, newest_activity().actor) == ("transfer.by_staff", staff.user)


def test_an_open_offer_is_cancelled(cast: Cast, staff: Actor, offered: Transfer) -> None:
    transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW)
    offered.refresh_from_db()
    assert offered.state(NOW) == "cancelled"


@pytest.mark.parametrize("by", ["owner", "administrator", "member", "outsider"])
def test_nobody_but_staff_can(cast: Cast, act: Callable[..., Actor], by: str) -> None:
    with pytest.raises(NotAllowedError):
        transfer_by_staff(by=act(by), team=cast.team, successor=cast.member, now=NOW)


@pytest.mark.parametrize("successor", ["former", "outsider"])
def test_the_successor_must_be_in_the_team(cast: Cast, staff: Actor, successor: str) -> None:
    with pytest.raises(ConflictError):
        transfer_by_staff(by=staff, team=cast.team, successor=cast.user(successor), now=NOW)


def test_the_owner_cannot_succeed_themselves(cast: Cast, staff: Actor) -> None:
    with pytest.raises(ActionError, match="already"):
        transfer_by_staff(by=staff, team=cast.team, successor=cast.owner, now=NOW)


def test_a_deactivated_successor_is_refused(cast: Cast, staff: Actor) -> None:
    User.objects.filter(pk=cast.member.pk).update(is_active=False)
    with pytest.raises(ConflictError, match="deactivated"):
        transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW)


def test_a_personal_space_stays_with_its_user(cast: Cast, staff: Actor) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    with pytest.raises(NotAllowedError, match="personal space"):
        transfer_by_staff(by=staff, team=space, successor=cast.member, now=NOW)


def test_both_are_told_by_mail(
    has_mail: None,
    committed: Callable[..., Any],
    cast: Cast,
    staff: Actor,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW)
    assert {mail.to[0] for mail in mailoutbox} == {"olivia@example.org", "mia@example.org"}
