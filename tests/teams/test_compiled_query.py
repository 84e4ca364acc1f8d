"""A compiled query returns what the ORM returns: all fields of rows and related rows, and annotations."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from teams.access import memberships_of
from teams.compiled_queries import CompiledQuery
from teams.credentials import tokens_with_role
from teams.models import Membership, Team, Token, User
from teams.models.transfers import Transfer
from tests.conftest import Cast


@pytest.fixture
def lookup() -> CompiledQuery:
    return CompiledQuery(
        lambda wanted: tokens_with_role().filter(digest=wanted),
        ["a digest"],
        [("team", Team), ("user", User)],
    )


def fields_of(row: Any) -> dict[Any, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_it_finds_the_same_as_the_orm(
    lookup: CompiledQuery, cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    Token.objects.filter(pk=token.pk).update(models=["gpt-4o", "o3-mini"], last_used_at=timezone.now())
    for _turn in range(2):
        found = lookup.find(token.digest)
        expected = tokens_with_role().get(digest=token.digest)
        assert isinstance(found, Token)
        assert found == expected
        for one, other in [(found, expected), (found.team, expected.team), (found.user, expected.user)]:
            assert fields_of(one) == fields_of(other)
        assert vars(found)["role"] == vars(expected)["role"] == "member"


def test_it_asks_once_and_what_it_refers_to_is_there(
    lookup: CompiledQuery,
    cast: Cast,
    token_of: Callable[..., tuple[Token, str]],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    token, _secret = token_of("member")
    lookup.find(token.digest)
    with django_assert_num_queries(1):
        found = lookup.find(token.digest)
        assert (found.team.name, found.user.email) == (cast.team.name, cast.member.email)


def test_it_can_be_saved_like_any_other(
    lookup: CompiledQuery, cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    found = lookup.find(token.digest)
    found.name = "changed"
    found.save(update_fields=["name"])
    token.refresh_from_db()
    assert token.name == "changed"


@pytest.mark.parametrize("value", ["", "%s", "'; DROP TABLE teams_token; --", "a digest"])
def test_what_is_not_there_is_not_found(
    lookup: CompiledQuery, cast: Cast, token_of: Callable[..., tuple[Token, str]], value: str
) -> None:
    token_of("member")
    assert lookup.find(value) is None


def test_a_value_that_is_asked_for_in_two_places_finds_all_its_rows_in_order(
    cast: Cast, offered: Transfer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for user in (cast.administrator, cast.member, cast.owner, cast.former):
        memberships_of(user)
        with django_assert_num_queries(1):
            found = memberships_of(user)
            teams = [one.team.name for one in found]
        expected = Membership.objects.filter(user=user, team__deleted_at=None).select_related("team")
        ordered = expected.order_by("-team__is_personal", "team__name")
        assert [fields_of(one) for one in found] == [fields_of(one) for one in ordered]
        assert teams == [one.team.name for one in ordered]
        is_asked = user == cast.administrator
        assert [vars(one)["is_offered"] for one in found] == [
            is_asked and one.team == cast.team for one in found
        ]
