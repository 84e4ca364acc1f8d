"""The compiled lookup gives what the ORM gives: every field of the row and of what it refers to, and annotations."""

import pytest
from django.utils import timezone

from teams.compiled import CompiledLookup
from teams.credentials import tokens_with_standing
from teams.models import Team, Token, User


@pytest.fixture
def lookup():
    return CompiledLookup(tokens_with_standing(), "digest", [("team", Team), ("user", User)])


def fields_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_it_finds_the_same_as_the_orm(lookup, cast, token_of):
    token, _secret = token_of("member")
    Token.objects.filter(pk=token.pk).update(models=["gpt-4o", "o3-mini"], last_used_at=timezone.now())
    for _turn in range(2):
        found = lookup.find(token.digest)
        expected = tokens_with_standing().get(digest=token.digest)
        assert isinstance(found, Token)
        assert found == expected
        for one, other in [(found, expected), (found.team, expected.team), (found.user, expected.user)]:
            assert fields_of(one) == fields_of(other)
        assert found.role == expected.role == "member"


def test_it_asks_once_and_what_it_refers_to_is_there(lookup, cast, token_of, django_assert_num_queries):
    token, _secret = token_of("member")
    lookup.find(token.digest)
    with django_assert_num_queries(1):
        found = lookup.find(token.digest)
        assert (found.team.name, found.user.email) == (cast.team.name, cast.member.email)


def test_it_can_be_saved_like_any_other(lookup, cast, token_of):
    token, _secret = token_of("member")
    found = lookup.find(token.digest)
    found.name = "changed"
    found.save(update_fields=["name"])
    token.refresh_from_db()
    assert token.name == "changed"


@pytest.mark.parametrize("value", ["", "%s", "'; DROP TABLE teams_token; --", "the value that is looked for"])
def test_what_is_not_there_is_not_found(lookup, cast, token_of, value):
    token_of("member")
    assert lookup.find(value) is None
