"""Transfer of a team by site staff."""

import pytest

from teams.actions.transfers import transfer_by_staff
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Role, Team, User
from tests.teams.conftest import NOW, newest_activity, role_of


@pytest.mark.parametrize("successor", ["administrator", "member"])
def test_staff_make_a_member_the_owner_at_once(cast, staff, successor):
    transfer_by_staff(by=staff, team=cast.team, successor=cast.user(successor), now=NOW)
    cast.team.refresh_from_db()
    assert cast.team.owner == cast.user(successor)
    assert role_of(cast.team, cast.user(successor)) == Role.OWNER
    assert role_of(cast.team, cast.owner) == Role.ADMINISTRATOR
    assert (newest_activity().kind, newest_activity().actor) == ("transfer.by_staff", staff.user)


def test_an_open_offer_is_cancelled(cast, staff, offered):
    transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW)
    offered.refresh_from_db()
    assert offered.state(NOW) == "cancelled"


@pytest.mark.parametrize("by", ["owner", "administrator", "member", "outsider"])
def test_nobody_but_staff_can(cast, act, by):
    with pytest.raises(NotAllowedError):
        transfer_by_staff(by=act(by), team=cast.team, successor=cast.member, now=NOW)


@pytest.mark.parametrize("successor", ["former", "outsider"])
def test_the_successor_must_be_in_the_team(cast, staff, successor):
    with pytest.raises(ConflictError):
        transfer_by_staff(by=staff, team=cast.team, successor=cast.user(successor), now=NOW)


def test_the_owner_cannot_succeed_themselves(cast, staff):
    with pytest.raises(ActionError, match="already"):
        transfer_by_staff(by=staff, team=cast.team, successor=cast.owner, now=NOW)


def test_a_deactivated_successor_is_refused(cast, staff):
    User.objects.filter(pk=cast.member.pk).update(is_active=False)
    with pytest.raises(ConflictError, match="deactivated"):
        transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW)


def test_a_personal_space_stays_with_its_user(cast, staff):
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    with pytest.raises(NotAllowedError, match="personal space"):
        transfer_by_staff(by=staff, team=space, successor=cast.member, now=NOW)


def test_both_are_told_by_mail(has_mail, committed, cast, staff, mailoutbox):
    with committed():
        transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW)
    assert {mail.to[0] for mail in mailoutbox} == {"olivia@example.org", "mia@example.org"}
