"""The page for a new team."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from teams.actions.teams import create_team
from teams.activity import Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import Role, User
from tests.conftest import Cast
from tests.teams.conftest import newest_activity, role_of


def test_who_makes_a_team_owns_it_and_is_its_first_member(cast: Cast, act: Callable[..., Actor]) -> None:
    team = create_team(
        by=act("member"),
        owner=cast.member,
        name=" Night Shift ",
        description="We test",
        time_zone="Asia/Kolkata",
    )
    assert (team.name, team.slug, team.time_zone) == ("Night Shift", "night-shift", "Asia/Kolkata")
    assert role_of(team, cast.member) == Role.OWNER
    assert (newest_activity().kind, newest_activity().actor) == ("team.created", cast.member)


def test_two_teams_of_one_name_get_two_addresses(cast: Cast, act: Callable[..., Actor]) -> None:
    first, second = (create_team(by=act("member"), owner=cast.member, name="Night Shift") for _ in range(2))
    assert first.slug != second.slug


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": "   "}),
        ("name", {"name": "x" * 101}),
        ("time_zone", {"name": "Night", "time_zone": "Mars/Olympus"}),
        ("description", {"name": "Night", "description": "x" * 501}),
    ],
)
def test_nonsense_names_the_field(
    cast: Cast, act: Callable[..., Actor], field: str, wrong: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        create_team(by=act("member"), owner=cast.member, **wrong)
    assert field in caught.value.message_dict


def test_nobody_makes_a_team_for_somebody_else(cast: Cast, act: Callable[..., Actor]) -> None:
    with pytest.raises(NotAllowedError):
        create_team(by=act("owner"), owner=cast.member, name="Gift")


def test_a_deactivated_user_gets_no_team(cast: Cast, staff: Actor) -> None:
    User.objects.filter(pk=cast.member.pk).update(is_active=False)
    with pytest.raises(ActionError, match="deactivated"):
        create_team(by=staff, owner=cast.member, name="Late")
