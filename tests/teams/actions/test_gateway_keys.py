"""Gateway keys: of a team, and of the site."""

from collections.abc import Callable

import pytest

from teams.actions.gateway_keys import (
    create_gateway_key,
    disable_gateway_key,
    enable_gateway_key,
    rename_gateway_key,
    revoke_gateway_key,
    rotate_gateway_key,
)
from teams.activity import Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import GatewayKey
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity


def works(secret: str) -> bool:
    try:
        find_credential(secret, NOW)
    except RefusedKeyError:
        return False
    return True


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_owner_and_administrator_manage_the_keys_of_their_team(
    cast: Cast, act: Callable[..., Actor], by: str
) -> None:
    key, secret = create_gateway_key(by=act(by), team=cast.team, name=" LiteLLM ")
    assert (key.name, key.created_by, secret[:6]) == ("LiteLLM", cast.user(by), "cb_gw_")
    disable_gateway_key(by=act(by), key=key, now=NOW)
    assert not works(secret)
    enable_gateway_key(by=act(by), key=key)
    assert works(secret)
    _, new = rotate_gateway_key(by=act(by), key=key, now=NOW)
    assert works(new)
    assert not works(secret)
    assert rename_gateway_key(by=act(by), key=key, name="Envoy").name == "Envoy"
    revoke_gateway_key(by=act(by), key=key, now=NOW)
    assert not works(new)
    assert (newest_activity().kind, newest_activity().team) == ("gateway_key.revoked", cast.team)


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
def test_nobody_else_can(cast: Cast, act: Callable[..., Actor], by: str) -> None:
    with pytest.raises(NotAllowedError):
        create_gateway_key(by=act(by), team=cast.team, name="LiteLLM")
    key, secret = create_gateway_key(by=act("owner"), team=cast.team, name="LiteLLM")
    for action in (disable_gateway_key, revoke_gateway_key, rotate_gateway_key):
        with pytest.raises(NotAllowedError):
            action(by=act(by), key=key, now=NOW)
    with pytest.raises(NotAllowedError):
        rename_gateway_key(by=act(by), key=key, name="mine")
    assert works(secret)


def test_keys_of_the_site_belong_to_its_staff(act: Callable[..., Actor], staff: Actor) -> None:
    with pytest.raises(NotAllowedError):
        create_gateway_key(by=act("owner"), team=None, name="LiteLLM")
    key, secret = create_gateway_key(by=staff, team=None, name="LiteLLM")
    with pytest.raises(NotAllowedError):
        revoke_gateway_key(by=act("owner"), key=key, now=NOW)
    revoke_gateway_key(by=staff, key=key, now=NOW)
    assert not works(secret)


def test_a_key_needs_a_name(cast: Cast, act: Callable[..., Actor]) -> None:
    with pytest.raises(ActionError) as caught:
        create_gateway_key(by=act("owner"), team=cast.team, name=" ")
    assert caught.value.field == "name"


def test_the_secret_is_stored_as_a_hash_only(cast: Cast, act: Callable[..., Actor]) -> None:
    _, secret = create_gateway_key(by=act("owner"), team=cast.team, name="LiteLLM")
    assert secret not in str(GatewayKey.objects.values().get())


def test_a_revoked_key_stays_revoked(cast: Cast, act: Callable[..., Actor]) -> None:
    key, _ = create_gateway_key(by=act("owner"), team=cast.team, name="LiteLLM")
    revoke_gateway_key(by=act("owner"), key=key, now=NOW)
    with pytest.raises(ConflictError, match="permanently"):
        enable_gateway_key(by=act("owner"), key=key)
