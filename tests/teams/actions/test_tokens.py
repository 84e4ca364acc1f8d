"""Actions on tokens."""

from collections.abc import Callable

import pytest

from teams.actions.members import add_member
from teams.actions.tokens import (
    create_token,
    disable_token,
    enable_token,
    rename_token,
    revoke_token,
    rotate_token,
)
from teams.activity import SITE, Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Mode, Role, Token
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity


def works(secret: str) -> bool:
    try:
        find_credential(secret, NOW)
    except RefusedKeyError:
        return False
    return True


@pytest.mark.parametrize("name", ["owner", "administrator", "member"])
def test_everybody_in_the_team_can_make_a_token_for_themselves(
    cast: Cast, act: Callable[..., Actor], name: str
) -> None:
    token, secret = create_token(
        by=act(name), team=cast.team, user=cast.user(name), name=" laptop ", mode=Mode.TEST
    )
    assert (token.name, token.mode, token.user) == ("laptop", Mode.TEST, cast.user(name))
    assert secret.startswith("cb_test_")
    assert works(secret)
    assert newest_activity().after == {"id": token.public_id, "mode": "test"}


def test_the_secret_is_stored_as_a_hash_only(cast: Cast, act: Callable[..., Actor]) -> None:
    token, secret = create_token(by=act("member"), team=cast.team, user=cast.member, name="laptop")
    assert token.prefix == secret[:12]
    assert secret not in str(Token.objects.values().get())
    assert secret not in str(newest_activity().after)


@pytest.mark.parametrize("by", ["owner", "administrator", "outsider"])
def test_nobody_makes_a_token_for_somebody_else(cast: Cast, act: Callable[..., Actor], by: str) -> None:
    with pytest.raises(NotAllowedError):
        create_token(by=act(by), team=cast.team, user=cast.member, name="laptop")


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_who_is_not_in_the_team_gets_no_token(cast: Cast, act: Callable[..., Actor], name: str) -> None:
    with pytest.raises(ActionError, match="not in this team"):
        create_token(by=act(name), team=cast.team, user=cast.user(name), name="laptop")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_token_needs_a_name_of_sensible_length(cast: Cast, act: Callable[..., Actor], name: str) -> None:
    with pytest.raises(ActionError) as caught:
        create_token(by=act("member"), team=cast.team, user=cast.member, name=name)
    assert caught.value.field == "name"


@pytest.mark.parametrize("by", ["member", "administrator", "owner"])
def test_the_holder_and_those_above_can_stop_start_and_revoke_it(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]], by: str
) -> None:
    token, secret = token_of("member")
    disable_token(by=act(by), token=token, now=NOW)
    assert not works(secret)
    enable_token(by=act(by), token=token)
    assert works(secret)
    revoke_token(by=act(by), token=token, now=NOW)
    assert not works(secret)
    row = newest_activity()
    assert (row.kind, row.before) == ("token.revoked", {"state": "active"})
    assert row.after == {"id": token.public_id, "state": "revoked"}


def test_an_administrator_can_stop_anothers_but_not_the_owners(
    cast: Cast, act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]]
) -> None:
    add_member(by=SITE, team=cast.team, user=cast.former, role=Role.ADMINISTRATOR)
    token, secret = token_of("former")
    disable_token(by=act("administrator"), token=token, now=NOW)
    assert not works(secret)
    owners, owners_secret = token_of("owner")
    for action in (disable_token, revoke_token):
        with pytest.raises(NotAllowedError):
            action(by=act("administrator"), token=owners, now=NOW)
    assert works(owners_secret)


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
def test_nobody_else_can_stop_a_token(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]], by: str
) -> None:
    token, secret = token_of("administrator")
    for action in (disable_token, revoke_token):
        with pytest.raises(NotAllowedError):
            action(by=act(by), token=token, now=NOW)
    with pytest.raises(NotAllowedError):
        enable_token(by=act(by), token=token)
    assert works(secret)


def test_rotation_gives_the_same_token_a_new_secret_and_kills_the_old(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, old = token_of("member", Mode.TEST)
    rotated, new = rotate_token(by=act("member"), token=token, now=NOW)
    assert (rotated.pk, rotated.public_id) == (token.pk, token.public_id)
    assert new.startswith("cb_test_")
    assert works(new)
    assert not works(old)


@pytest.mark.parametrize("by", ["owner", "administrator", "outsider"])
def test_only_the_holder_sees_a_new_secret_or_changes_the_name(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]], by: str
) -> None:
    token, secret = token_of("member")
    with pytest.raises(NotAllowedError):
        rotate_token(by=act(by), token=token, now=NOW)
    with pytest.raises(NotAllowedError):
        rename_token(by=act(by), token=token, name="mine")
    assert works(secret)


def test_the_holder_can_rename_it(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _ = token_of("member")
    assert rename_token(by=act("member"), token=token, name="desktop").name == "desktop"
    assert newest_activity().before == {"name": "laptop"}


def test_a_revoked_token_stays_as_it_is(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _ = token_of("member")
    revoke_token(by=act("member"), token=token, now=NOW)
    for action in (disable_token, revoke_token, rotate_token):
        with pytest.raises(ConflictError, match="revoked"):
            action(by=act("member"), token=token, now=NOW)
    with pytest.raises(ConflictError, match="revoked"):
        enable_token(by=act("member"), token=token)


def test_an_expired_token_is_not_rotated_but_made_anew(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _ = token_of("member")
    Token.objects.filter(pk=token.pk).update(expires_at=NOW)
    with pytest.raises(ConflictError, match="expired"):
        rotate_token(by=act("member"), token=token, now=NOW)


def test_doing_a_thing_twice_says_that_it_is_done(
    act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _ = token_of("member")
    disable_token(by=act("member"), token=token, now=NOW)
    with pytest.raises(ConflictError, match="already disabled"):
        disable_token(by=act("owner"), token=token, now=NOW)
    enable_token(by=act("member"), token=token)
    with pytest.raises(ConflictError, match="already enabled"):
        enable_token(by=act("member"), token=token)
