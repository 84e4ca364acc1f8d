"""Adding a member without an invitation."""

from collections.abc import Callable

import pytest

from teams.actions.members import add_member
from teams.activity import SITE, Actor
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Role, Team, User
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity, role_of


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.MEMBER])
def test_the_site_can_add_somebody_in_either_role(cast: Cast, role: Role) -> None:
    add_member(by=SITE, team=cast.team, user=cast.former, role=role)
    assert role_of(cast.team, cast.former) == role
    assert (newest_activity().kind, newest_activity().after) == ("member.added", {"role": role})


@pytest.mark.parametrize("by", ["owner", "administrator", "member", "outsider"])
def test_nobody_in_the_team_can_skip_the_invitation(cast: Cast, act: Callable[..., Actor], by: str) -> None:
    with pytest.raises(NotAllowedError):
        add_member(by=act(by), team=cast.team, user=cast.former)


def test_nobody_is_added_twice(cast: Cast) -> None:
    with pytest.raises(ActionError, match="already in this team"):
        add_member(by=SITE, team=cast.team, user=cast.member)


def test_a_team_gets_no_second_owner(cast: Cast) -> None:
    with pytest.raises(ActionError, match="one owner"):
        add_member(by=SITE, team=cast.team, user=cast.former, role=Role.OWNER)


def test_a_personal_space_stays_for_one(cast: Cast) -> None:
    with pytest.raises(ActionError, match="only one member"):
        add_member(by=SITE, team=Team.objects.get(owner=cast.owner, is_personal=True), user=cast.former)


def test_a_deactivated_user_is_refused(cast: Cast) -> None:
    User.objects.filter(pk=cast.former.pk).update(is_active=False)
    with pytest.raises(ActionError, match="deactivated"):
        add_member(by=SITE, team=cast.team, user=cast.former)


def test_a_deleted_team_is_refused(cast: Cast) -> None:
    Team.objects.filter(pk=cast.team.pk).update(deleted_at=NOW)
    with pytest.raises(ConflictError, match="deleted"):
        add_member(by=SITE, team=cast.team, user=cast.former)
