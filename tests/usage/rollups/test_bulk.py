"""Rows that are read by hand are what the ORM gives."""

from typing import Any

from pytest_django import DjangoAssertNumQueries

from teams.models import User
from tests.conftest import Cast
from usage.rollups.bulk import fetch_by_keys, instances_of

COLUMNS = ["name", "public_id", "email"]  # not in the model's order


def by_hand(ids: Any) -> list[User]:
    rows = fetch_by_keys(User, fixed={}, keys=["id"], wanted=[(one,) for one in ids], columns=COLUMNS)
    return sorted(instances_of(User, ["id", *COLUMNS], rows), key=lambda user: user.pk)


def test_they_have_their_own_values(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    wanted = [cast.owner, cast.member]
    with django_assert_num_queries(1):
        found = by_hand([user.pk for user in wanted])
        shown = [(user.pk, user.name, user.public_id, user.email) for user in found]
    assert shown == sorted((user.pk, user.name, user.public_id, user.email) for user in wanted)


def test_other_columns_are_read_when_they_are_asked_for(cast: Cast) -> None:
    (found,) = by_hand([cast.member.pk])
    assert found.get_deferred_fields() >= {"password", "is_staff"}
    assert found.is_active == cast.member.is_active


def test_no_keys_find_nothing(cast: Cast) -> None:
    assert by_hand([]) == []
    assert by_hand([-1]) == []
