"""Changing a team's name, description and time zone."""

import pytest
from django.core.exceptions import ValidationError

from teams.actions.teams import update_team
from teams.errors import NotAllowedError
from teams.models import Activity, Team
from teams.signals import time_zone_changed
from tests.teams.conftest import newest_activity


@pytest.fixture
def update(cast, act):
    def go(by="owner", team=cast.team, name="Harbour Research", description="", time_zone="Europe/Berlin"):
        return update_team(by=act(by), team=team, name=name, description=description, time_zone=time_zone)

    return go


@pytest.fixture
def zone_changes():
    heard = []

    def receive(sender, team, before, **kwargs):
        heard.append((before, team.time_zone))

    time_zone_changed.connect(receive)
    yield heard
    time_zone_changed.disconnect(receive)


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_owner_and_administrator_can_rename_and_describe(cast, update, zone_changes, by):
    update(by, name="Harbour Lab", description="Ships")
    team = Team.objects.get(pk=cast.team.pk)
    assert (team.name, team.description, team.slug) == ("Harbour Lab", "Ships", "harbour-research")
    assert zone_changes == []


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
def test_nobody_else_can(update, by):
    with pytest.raises(NotAllowedError):
        update(by, name="Mine")


def test_only_what_changed_stands_in_the_activity(update):
    update(name="Harbour Lab")
    row = newest_activity()
    assert (row.kind, row.before, row.after) == (
        "team.changed",
        {"name": "Harbour Research"},
        {"name": "Harbour Lab"},
    )


def test_no_change_writes_nothing(update):
    before = Activity.objects.count()
    update()
    assert Activity.objects.count() == before


def test_a_new_time_zone_is_announced_inside_the_transaction(update, zone_changes):
    update(time_zone="Asia/Kathmandu")
    assert zone_changes == [("Europe/Berlin", "Asia/Kathmandu")]


def test_statistics_that_cannot_be_cut_again_undo_the_change(cast, update):
    def fail(sender, **kwargs):
        raise RuntimeError("no room")

    time_zone_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            update(time_zone="Asia/Kathmandu")
    finally:
        time_zone_changed.disconnect(fail)
    assert Team.objects.get(pk=cast.team.pk).time_zone == "Europe/Berlin"


@pytest.mark.parametrize(("field", "wrong"), [("name", " "), ("time_zone", "Mars/Olympus"), ("time_zone", "")])
def test_nonsense_names_the_field_and_changes_nothing(cast, update, field, wrong):
    with pytest.raises(ValidationError) as caught:
        update(**{field: wrong})
    assert field in caught.value.message_dict
    assert Team.objects.get(pk=cast.team.pk).name == "Harbour Research"


def test_a_personal_space_can_have_another_time_zone(cast, update):
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    assert update(team=space, name=space.name, time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"
