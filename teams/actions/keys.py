"""Changes that are the same for tokens and gateway keys. They return the values before and after as a `Change`.

The callers check the actor's rights and write the activity row.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from teams.errors import ActionError, ConflictError
from teams.models import Secret
from teams.secrets import digest, new_secret, shown_prefix

Change = tuple[dict[str, Any], dict[str, Any]]  # the values before and after the change, for the activity row


def give_secret(key: Secret, prefix: str) -> str:
    """Sets `prefix` and `digest` of a token or gateway key from a new secret, and returns the secret.

    Does not save.
    """
    secret = new_secret(prefix)
    key.prefix = shown_prefix(secret)
    key.digest = digest(secret)
    return secret


def clean_name(name: str) -> str:
    """Returns the name of a key without surrounding spaces. Raises ActionError if it is empty or too long."""
    name = name.strip()
    if not name:
        raise ActionError(
            _("Enter a name, for example that of the machine or gateway that will use it."), field="name"
        )
    if len(name) > 100:
        raise ActionError(_("Enter at most 100 characters."), field="name")
    return name


def disable(key: Secret, now: datetime) -> Change:
    """Disables a token or gateway key, and returns the change.

    Raises ConflictError if the key is disabled or revoked.
    """
    _check_not_revoked(key)
    if key.disabled_at:
        raise ConflictError(_("“%(name)s” is already disabled.") % {"name": key.name})
    key.disabled_at = now
    key.save(update_fields=["disabled_at"])
    return {"state": "active"}, {"state": "disabled"}


def enable(key: Secret) -> Change:
    """Enables a token or gateway key, and returns the change.

    Raises ConflictError if the key is enabled or revoked.
    """
    _check_not_revoked(key)
    if not key.disabled_at:
        raise ConflictError(_("“%(name)s” is already enabled.") % {"name": key.name})
    key.disabled_at = None
    key.save(update_fields=["disabled_at"])
    return {"state": "disabled"}, {"state": "active"}


def revoke(key: Secret, now: datetime) -> Change:
    """Revokes a token or gateway key permanently, and returns the change.

    Raises ConflictError if it is already revoked.
    """
    _check_not_revoked(key)
    before = key.state(now)
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    return {"state": before}, {"state": "revoked"}


def rotate(key: Secret, prefix: str, now: datetime) -> tuple[str, Change]:
    """Replaces the secret of a token or gateway key, and returns the new secret and the change.

    The old secret stops working. Raises ConflictError if the key has expired or is revoked.
    """
    _check_not_revoked(key)
    if key.state(now) == "expired":
        raise ConflictError(_("“%(name)s” has expired. Create a new one.") % {"name": key.name})
    before = key.prefix
    secret = give_secret(key, prefix)
    key.save(update_fields=["prefix", "digest"])
    return secret, ({"prefix": before}, {"prefix": key.prefix})


def rename(key: Secret, name: str) -> Change | None:
    """Renames a token or gateway key, and returns the change, or None if it already has this name.

    Raises ActionError if the name is empty or too long.
    """
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
