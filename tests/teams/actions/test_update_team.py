"""Changing a team's name, description and time zone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from teams.actions.teams import update_team
from teams.activity import Actor
from teams.errors import NotAllowedError
from teams.models import Activity, Team
from teams.signals import time_zone_changed
from tests.conftest import Cast
from tests.teams.conftest import newest_activity


@pytest.fixture
def update(cast: Cast, act: Callable[..., Actor]) -> Callable[..., Team]:
    def go(
        by: str = "owner",
        team: Any = cast.team,
        name: str = "Harbour Research",
        description: str = "",
        time_zone: str = "Europe/Berlin",
    ) -> Team:
        return update_team(by=act(by), team=team, name=name, description=description, time_zone=time_zone)

    return go


@pytest.fixture
def zone_changes() -> Iterator[list[Any]]:
    heard = []

    def receive(sender: Any, team: Team, before: Any, **kwargs: Any) -> None:
        heard.append((before, team.time_zone))

    time_zone_changed.connect(receive)
    yield heard
    time_zone_changed.disconnect(receive)


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_owner_and_administrator_can_rename_and_describe(
    cast: Cast, update: Callable[..., Team], zone_changes: list[Any], by: str
) -> None:
    update(by, name="Harbour Lab", description="Ships")
    team = Team.objects.get(pk=cast.team.pk)
    assert (team.name, team.description, team.slug) == ("Harbour Lab", "Ships", "harbour-research")
    assert zone_changes == []


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
def test_nobody_else_can(update: Callable[..., Team], by: str) -> None:
    with pytest.raises(NotAllowedError):
        update(by, name="Mine")


def test_only_what_changed_stands_in_the_activity(update: Callable[..., Team]) -> None:
    update(name="Harbour Lab")
    row = newest_activity()
    assert (row.kind, row.before, row.after) == (
        "team.changed",
        {"name": "Harbour Research"},
        {"name": "Harbour Lab"},
    )


def test_no_change_writes_nothing(update: Callable[..., Team]) -> None:
    before = Activity.objects.count()
    update()
    assert Activity.objects.count() == before


def test_a_new_time_zone_is_announced_inside_the_transaction(
    update: Callable[..., Team], zone_changes: list[Any]
) -> None:
    update(time_zone="Asia/Kathmandu")
    assert zone_changes == [("Europe/Berlin", "Asia/Kathmandu")]


def test_statistics_that_cannot_be_cut_again_undo_the_change(cast: Cast, update: Callable[..., Team]) -> None:
    def fail(sender: Any, **kwargs: Any) -> None:
        raise RuntimeError("no room")

    time_zone_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            update(time_zone="Asia/Kathmandu")
    finally:
        time_zone_changed.disconnect(fail)
    assert Team.objects.get(pk=cast.team.pk).time_zone == "Europe/Berlin"


@pytest.mark.parametrize(("field", "wrong"), [("name", " "), ("time_zone", "Mars/Olympus"), ("time_zone", "")])
def test_nonsense_names_the_field_and_changes_nothing(
    cast: Cast, update: Callable[..., Team], field: str, wrong: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        update(**{field: wrong})
    assert field in caught.value.message_dict
    assert Team.objects.get(pk=cast.team.pk).name == "Harbour Research"


def test_a_personal_space_can_have_another_time_zone(cast: Cast, update: Callable[..., Team]) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    assert update(team=space, name=space.name, time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"
