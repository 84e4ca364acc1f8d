"""Actions on API tokens, which the holder of a token runs.

The owner and administrators of the team can run some of them on the tokens of others.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from teams.access import Permission, may_stop_token
from teams.actions import keys
from teams.actions.checks import require_permission
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError, NotAllowedError
from teams.models import Membership, Mode, Team, Token, User
from teams.secrets import TOKEN_PREFIXES


@transaction.atomic
def create_token(
    *,
    by: Actor,
    team: Team,
    user: User,
    name: str,
    mode: Mode = Mode.LIVE,
    expires_at: datetime | None = None,
    models: Sequence[str] = (),
) -> tuple[Token, str]:
    """Creates a token of `user` in `team`. Returns the token and its secret. Only a hash of the secret is stored.

    Users can only create tokens for themselves. Raises NotAllowedError, and ActionError if the user is not a
    member or the name is empty or too long.
    """
    team = lock_team(team)
    if not by.is_site and by.user != user:
        raise NotAllowedError(_("You can only create tokens for yourself."))
    if not Membership.objects.filter(team=team, user=user, user__is_active=True).exists():
        raise ActionError(_("%(person)s is not in this team.") % {"person": user.label})
    token = Token(
        team=team, user=user, name=keys.clean_name(name), mode=mode, expires_at=expires_at, models=list(models)
    )
    secret = keys.give_secret(token, TOKEN_PREFIXES[mode])
    token.save()
    expires = {"expires_at": expires_at.isoformat()} if expires_at else {}
    _record(by, token, "token.created", ({}, {"mode": mode.word, **expires}))
    return token, secret


@transaction.atomic
def disable_token(*, by: Actor, token: Token, now: datetime) -> Token:
    """Disables a token, which can be enabled again.

    Its holder may do this, and users to whom `may_stop_token` allows it. Raises NotAllowedError, and
    ConflictError if the token is already disabled or revoked.
    """
    token = _locked(by, token)
    _record(by, token, "token.disabled", keys.disable(token, now))
    return token


@transaction.atomic
def enable_token(*, by: Actor, token: Token) -> Token:
    """Enables a disabled token. Everybody who may disable it may do this.

    Raises NotAllowedError, and ConflictError if the token is enabled or revoked.
    """
    token = _locked(by, token)
    _record(by, token, "token.enabled", keys.enable(token))
    return token


@transaction.atomic
def revoke_token(*, by: Actor, token: Token, now: datetime) -> Token:
    """Revokes a token permanently. Everybody who may disable it may do this.

    Raises NotAllowedError, and ConflictError if the token is already revoked.
    """
    token = _locked(by, token)
    _record(by, token, "token.revoked", keys.revoke(token, now))
    return token


@transaction.atomic
def rotate_token(*, by: Actor, token: Token, now: datetime) -> tuple[Token, str]:
    """Gives a token a new secret, and returns the token and the secret. The old secret stops working.

    Name, quota and past usage stay. Only the holder may do this, because only the holder may see the secret.
    Raises NotAllowedError, and ConflictError if the token has expired or is revoked.
    """
    token = _locked(by, token, holder_only=True)
    secret, change = keys.rotate(token, TOKEN_PREFIXES[Mode(token.mode)], now)
    _record(by, token, "token.rotated", change)
    return token, secret


@transaction.atomic
def rename_token(*, by: Actor, token: Token, name: str) -> Token:
    """Renames a token.

    Only its holder may do this. Raises NotAllowedError, and ActionError if the name is invalid.
    """
    token = _locked(by, token, holder_only=True)
    change = keys.rename(token, name)
    if change:
        _record(by, token, "token.renamed", change)
    return token


def _locked(by: Actor, token: Token, holder_only: bool = False) -> Token:
    """Locks the team of a token, checks that the actor may change the token, and reads and returns it again.

    With `holder_only`, only the holder and site staff may change it. Raises NotAllowedError.
    """
    team = lock_team(token.team)
    token = Token.objects.select_related("user").get(pk=token.pk)
    token.team = team
    role = require_permission(by, team, Permission.SEE_OWN)
    if by.user is not None and by.user.pk == token.user_id:
        return token
    if holder_only and not by.is_site:
        raise NotAllowedError(_("Only the holder of a token can do this."))
    holder_role = Membership.objects.filter(team=team, user=token.user).values_list("role", flat=True).first()
    if not may_stop_token(role, holder_role):
        raise NotAllowedError(
            _("You cannot change this token: it belongs to somebody whose tokens your role cannot change.")
        )
    return token


def _record(by: Actor, token: Token, kind: str, change: keys.Change) -> None:
    before, after = change
    record_activity(
        by=by,
        team=token.team,
        kind=kind,
        person=token.user,
        subject=token.name,
        before=before,
        after={"id": token.public_id, **after},
    )
