"""Changing a person's name."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from teams.actions.users import rename_user
from teams.activity import Actor
from teams.errors import NotAllowedError
from teams.models import Activity, User
from tests.conftest import Cast
from tests.teams.conftest import newest_activity


def test_people_can_change_their_own_name(cast: Cast, act: Callable[..., Actor]) -> None:
    rename_user(by=act("member"), user=cast.member, name="  Mia   Moreno ")
    assert User.objects.get(pk=cast.member.pk).name == "Mia Moreno"
    row = newest_activity()
    assert (row.kind, row.before, row.after) == ("user.renamed", {"name": "Mia"}, {"name": "Mia Moreno"})


def test_without_a_name_the_address_is_shown(cast: Cast, act: Callable[..., Actor]) -> None:
    assert rename_user(by=act("member"), user=cast.member, name="").label == "mia@example.org"


def test_the_same_name_writes_nothing(cast: Cast, act: Callable[..., Actor]) -> None:
    before = Activity.objects.count()
    rename_user(by=act("member"), user=cast.member, name="Mia")
    assert Activity.objects.count() == before


def test_staff_can_change_a_name_but_no_owner_can(cast: Cast, act: Callable[..., Actor], staff: Actor) -> None:
    with pytest.raises(NotAllowedError):
        rename_user(by=act("owner"), user=cast.member, name="Minion")
    rename_user(by=staff, user=cast.member, name="Mia M.")


def test_a_name_too_long_is_refused(cast: Cast, act: Callable[..., Actor]) -> None:
    with pytest.raises(ValidationError):
        rename_user(by=act("member"), user=cast.member, name="x" * 101)
