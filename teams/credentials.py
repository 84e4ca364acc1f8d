"""Authentication by key: finds the token or gateway key that has a secret, or the reason to refuse it."""

import functools
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from teams.compiled_queries import CompiledQuery
from teams.models import GatewayKey, Membership, Team, Token, User
from teams.secrets import GATEWAY_PREFIX, TOKEN_PREFIXES, digest

# The precision of `last_used_at`. A minute is enough for people, and avoids a write for every request.
TOUCH_EVERY = timedelta(minutes=1)


class Refusal(StrEnum):
    """The reason why a key is refused."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    DISABLED = "disabled"
    EXPIRED = "expired"
    LEFT = "left"
    DELETED = "deleted"
    INACTIVE = "inactive"


_MESSAGES = {
    Refusal.UNKNOWN: _("This key does not exist. Check that you copied it completely."),
    Refusal.REVOKED: _("This key has been revoked. Create a new one."),
    Refusal.DISABLED: _("This key is disabled. Its holder or an administrator can enable it again."),
    Refusal.EXPIRED: _("This key has expired. Create a new one."),
    Refusal.LEFT: _("The holder of this token is no longer in its team."),
    Refusal.DELETED: _("The team of this key has been deleted."),
    Refusal.INACTIVE: _("The account of the holder of this token is deactivated."),
}


class RefusedKeyError(Exception):
    """Raised for a key that does not work. `reason` says why; `str(error)` is the message for the key's holder.

    `credential` is the refused token or gateway key; None if no key has the secret.
    """

    def __init__(self, reason: Refusal, credential: Token | GatewayKey | None = None) -> None:
        super().__init__(str(_MESSAGES[reason]))
        self.reason, self.credential = reason, credential


def find_credential(secret: str, now: datetime) -> Token | GatewayKey:
    """Returns the token or gateway key with this secret, and records that it was used.

    Loads its `team` and `user`. A token has the annotation `role`: the role of its holder in the team. Raises
    RefusedKeyError if no key has the secret or the key does not work. Call this outside of transactions: it
    writes `last_used_at`, so a transaction would keep a lock on the key. Revoking locks the team and then the
    key, and the two could deadlock.
    """
    found: Token | GatewayKey | None = None
    if secret.startswith(GATEWAY_PREFIX):
        found = GatewayKey.objects.select_related("team").filter(digest=digest(secret)).first()
    elif secret.startswith(tuple(TOKEN_PREFIXES.values())):
        found = _token_lookup().find(digest(secret))
    if found is None:
        raise RefusedKeyError(Refusal.UNKNOWN)
    reason = refusal_of(found, now)
    if reason is not None:
        raise RefusedKeyError(reason, found)
    record_use(found, now)
    return found


def tokens_with_role() -> QuerySet[Token]:
    """Returns a queryset of all tokens, each with team, user and the annotation `role`.

    `role` is the role of the token's holder in the team; it is None if the holder has left the team.
    """
    role = Membership.objects.filter(team=OuterRef("team"), user=OuterRef("user")).values("role")
    return Token.objects.select_related("team", "user").annotate(role=Subquery(role))


@functools.cache
def _token_lookup() -> CompiledQuery:
    return CompiledQuery(
        lambda wanted: tokens_with_role().filter(digest=wanted),
        ["a digest"],
        [("team", Team), ("user", User)],
    )


def refusal_of(credential: Token | GatewayKey, now: datetime) -> Refusal | None:
    """Returns why the API refuses a token or gateway key, or None if it works.

    A token must come from `tokens_with_role`, because this reads its annotation `role`.
    """
    team = credential.team
    if team is not None and team.deleted_at:
        return Refusal.DELETED
    if isinstance(credential, Token):
        if not credential.user.is_active:
            return Refusal.INACTIVE
        if credential.role is None:  # type: ignore[attr-defined]  # the annotation
            return Refusal.LEFT
    state = credential.state(now)
    return None if state == "active" else Refusal(state)


def record_use(credential: Token | GatewayKey, now: datetime) -> None:
    """Stores `now` as the time of a key's last use, unless the stored time is less than a minute old."""
    if credential.last_used_at and credential.last_used_at > now - TOUCH_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - TOUCH_EVERY)
    table = GatewayKey if isinstance(credential, GatewayKey) else Token
    table._default_manager.filter(stale, pk=credential.pk).update(last_used_at=now)
    credential.last_used_at = now
