"""Finding the token or gateway key of a secret."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.credentials import RefusedKeyError, find_credential
from teams.models import Membership, Mode, Token
from tests.conftest import Cast

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def refusal(secret: str, now: datetime = NOW) -> str:
    with pytest.raises(RefusedKeyError) as caught:
        find_credential(secret, now)
    assert str(caught.value)
    return caught.value.reason


def test_a_token_is_found_by_its_secret_with_team_user_and_role_in_one_query(
    cast: Cast, token_of: Callable[..., tuple[Token, str]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token, secret = token_of("administrator", Mode.TEST)
    Token.objects.update(last_used_at=NOW)
    with django_assert_num_queries(1):
        found = find_credential(secret, NOW)
        assert found == token
        assert isinstance(found, Token)
        assert (found.team, found.user) == (cast.team, cast.administrator)
        assert vars(found)["role"] == "administrator"
    assert found.mode == Mode.TEST


def test_a_gateway_key_is_found_with_its_team(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, secret = create_gateway_key(by=SITE, team=cast.team, name="LiteLLM", expires_at=None)
    with django_assert_num_queries(2):  # the second notes the use
        assert find_credential(secret, NOW).team == cast.team
    key.refresh_from_db()
    assert key.last_used_at == NOW


def test_a_key_of_the_site_has_no_team(db: None) -> None:
    _, secret = create_gateway_key(by=SITE, team=None, name="LiteLLM")
    assert find_credential(secret, NOW).team is None


@pytest.mark.parametrize(
    "secret", ["", "cb_live_", "sk-123", "cb_live_" + "a1B2" * 10, "cb_gw_" + "a1B2" * 10, "cb_live_\x00\ud800"]
)
def test_a_made_up_secret_is_unknown(db: None, secret: str) -> None:
    assert refusal(secret) == "unknown"


def test_a_secret_with_another_prefix_is_unknown(token_of: Callable[..., tuple[Token, str]]) -> None:
    _, secret = token_of("member")
    assert refusal(secret.replace("cb_live_", "cb_test_")) == "unknown"


@pytest.mark.parametrize("field", ["revoked", "disabled"])
def test_a_stopped_token_is_refused(token_of: Callable[..., tuple[Token, str]], field: str) -> None:
    token, secret = token_of("member")
    Token.objects.filter(pk=token.pk).update(**{f"{field}_at": NOW})
    assert refusal(secret) == field


def test_a_token_works_until_the_moment_it_expires(token_of: Callable[..., tuple[Token, str]]) -> None:
    token, secret = token_of("member")
    Token.objects.filter(pk=token.pk).update(expires_at=NOW)
    assert find_credential(secret, NOW - timedelta(microseconds=1)) == token
    assert refusal(secret) == "expired"


def test_the_token_of_somebody_who_left_is_refused(
    cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    _, secret = token_of("member")
    Membership.objects.filter(team=cast.team, user=cast.member).delete()
    assert refusal(secret) == "left"


def test_the_token_of_a_deactivated_user_is_refused(
    cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    _, secret = token_of("member")
    cast.member.is_active = False
    cast.member.save()
    assert refusal(secret) == "inactive"


def test_keys_of_a_deleted_team_are_refused(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    _, secret = token_of("member")
    _, gateway_secret = create_gateway_key(by=SITE, team=cast.team, name="LiteLLM")
    cast.team.deleted_at = NOW
    cast.team.save()
    assert refusal(secret) == "deleted"
    assert refusal(gateway_secret) == "deleted"


def test_a_use_is_noted_at_most_once_a_minute(token_of: Callable[..., tuple[Token, str]]) -> None:
    token, secret = token_of("member")
    for seconds, noted in [(0, 0), (59, 0), (60, 60), (61, 60)]:
        find_credential(secret, NOW + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used_at == NOW + timedelta(seconds=noted)


def test_a_refused_use_is_not_noted(token_of: Callable[..., tuple[Token, str]]) -> None:
    token, secret = token_of("member")
    Token.objects.update(disabled_at=NOW)
    refusal(secret)
    token.refresh_from_db()
    assert token.last_used_at is None
