"""Actions on gateway keys.

Owner and administrators change the keys of a team, site staff those of the whole site.
"""

from datetime import datetime

from django.db import transaction

from teams.access import Permission
from teams.actions import keys
from teams.actions.checks import require_permission, require_site
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.models import GatewayKey, Team
from teams.secrets import GATEWAY_PREFIX


@transaction.atomic
def create_gateway_key(
    *, by: Actor, team: Team | None, name: str, expires_at: datetime | None = None
) -> tuple[GatewayKey, str]:
    """Creates a gateway key of a team, or of the whole site if `team` is None. Returns the key and its secret.

    Raises NotAllowedError, and ActionError if the name is empty or too long.
    """
    team = _locked_team(by, team)
    key = GatewayKey(team=team, name=keys.clean_name(name), expires_at=expires_at, created_by=by.user)
    secret = keys.give_secret(key, GATEWAY_PREFIX)
    key.save()
    expires = {"expires_at": expires_at.isoformat()} if expires_at else {}
    _record(by, key, "gateway_key.created", ({}, expires))
    return key, secret


@transaction.atomic
def disable_gateway_key(*, by: Actor, key: GatewayKey, now: datetime) -> GatewayKey:
    """Disables a gateway key, which can be enabled again.

    Raises NotAllowedError, and ConflictError if it is not enabled.
    """
    key = _locked(by, key)
    _record(by, key, "gateway_key.disabled", keys.disable(key, now))
    return key


@transaction.atomic
def enable_gateway_key(*, by: Actor, key: GatewayKey) -> GatewayKey:
    """Enables a disabled gateway key. Raises NotAllowedError, and ConflictError if it is enabled or revoked."""
    key = _locked(by, key)
    _record(by, key, "gateway_key.enabled", keys.enable(key))
    return key


@transaction.atomic
def revoke_gateway_key(*, by: Actor, key: GatewayKey, now: datetime) -> GatewayKey:
    """Revokes a gateway key permanently. Raises NotAllowedError, and ConflictError if it is already revoked."""
    key = _locked(by, key)
    _record(by, key, "gateway_key.revoked", keys.revoke(key, now))
    return key


@transaction.atomic
def rotate_gateway_key(*, by: Actor, key: GatewayKey, now: datetime) -> tuple[GatewayKey, str]:
    """Gives a gateway key a new secret and returns the key and the secret. The old secret stops working.

    Raises NotAllowedError, and ConflictError if the key has expired or is revoked.
    """
    key = _locked(by, key)
    secret, change = keys.rotate(key, GATEWAY_PREFIX, now)
    _record(by, key, "gateway_key.rotated", change)
    return key, secret


@transaction.atomic
def rename_gateway_key(*, by: Actor, key: GatewayKey, name: str) -> GatewayKey:
    """Renames a gateway key. Raises NotAllowedError, and ActionError if the name is empty or too long."""
    key = _locked(by, key)
    change = keys.rename(key, name)
    if change:
        _record(by, key, "gateway_key.renamed", change)
    return key


def _locked_team(by: Actor, team: Team | None) -> Team | None:
    """Locks the team and returns it, after checking that the actor may change its gateway keys.

    For keys of the whole site `team` is None: this locks nothing and returns None. Raises NotAllowedError.
    """
    if team is None:
        require_site(by)
        return None
    team = lock_team(team)
    require_permission(by, team, Permission.EDIT_TEAM)
    return team


def _locked(by: Actor, key: GatewayKey) -> GatewayKey:
    """Locks a gateway key and returns it as it is stored now, after checking that the actor may change it."""
    team = _locked_team(by, key.team)
    # Keys of the site have no team to lock.
    fresh = GatewayKey.objects.select_for_update().get(pk=key.pk)
    fresh.team = team
    return fresh


def _record(by: Actor, key: GatewayKey, kind: str, change: keys.Change) -> None:
    before, after = change
    record_activity(
        by=by, team=key.team, kind=kind, subject=key.name, before=before, after={"id": key.public_id, **after}
    )
