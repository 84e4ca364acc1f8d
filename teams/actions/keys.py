"""What tokens and gateway keys do alike: get a secret, stop, start, get a new secret, change the name."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from teams.errors import ActionError, ConflictError
from teams.models import Secret
from teams.secrets import digest, new_secret, shown_prefix

Change = tuple[dict[str, Any], dict[str, Any]]  # before, after: what the activity row says


def give_secret(key: Secret, prefix: str) -> str:
    """Sets prefix and digest of a new secret on an unsaved or locked row; returns the secret."""
    secret = new_secret(prefix)
    key.prefix = shown_prefix(secret)
    key.digest = digest(secret)
    return secret


def clean_name(name: str) -> str:
    """The name without spaces around it. Raises ActionError for none or one too long."""
    name = name.strip()
    if not name:
        raise ActionError(
            _("Enter a name, for example that of the machine or gateway that will use it."), field="name"
        )
    if len(name) > 100:
        raise ActionError(_("Enter at most 100 characters."), field="name")
    return name


def disable(key: Secret, now: datetime) -> Change:
    _check_not_revoked(key)
    if key.disabled_at:
        raise ConflictError(_("“%(name)s” is already disabled.") % {"name": key.name})
    key.disabled_at = now
    key.save(update_fields=["disabled_at"])
    return {"state": "active"}, {"state": "disabled"}


def enable(key: Secret) -> Change:
    _check_not_revoked(key)
    if not key.disabled_at:
        raise ConflictError(_("“%(name)s” is already enabled.") % {"name": key.name})
    key.disabled_at = None
    key.save(update_fields=["disabled_at"])
    return {"state": "disabled"}, {"state": "active"}


def revoke(key: Secret, now: datetime) -> Change:
    _check_not_revoked(key)
    before = key.state(now)
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    return {"state": before}, {"state": "revoked"}


def rotate(key: Secret, prefix: str, now: datetime) -> tuple[str, Change]:
    """A new secret in place of the old, which stops at once. An expired key is refused: make a new one."""
    _check_not_revoked(key)
    if key.state(now) == "expired":
        raise ConflictError(_("“%(name)s” has expired. Create a new one.") % {"name": key.name})
    before = key.prefix
    secret = give_secret(key, prefix)
    key.save(update_fields=["prefix", "digest"])
    return secret, ({"prefix": before}, {"prefix": key.prefix})


def rename(key: Secret, name: str) -> Change | None:
    """None when it has this name already."""
    before, key.name = key.name, clean_name(name)
    if key.name == before:
        return None
    key.save(update_fields=["name"])
    return {"name": before}, {"name": key.name}


def _check_not_revoked(key: Secret) -> None:
    if key.revoked_at:
        raise ConflictError(
            _("“%(name)s” has been revoked permanently. Create a new one.") % {"name": key.name}
        )
