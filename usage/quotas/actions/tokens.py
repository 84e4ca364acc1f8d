"""Creates a token together with its limit, from one form."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from teams.actions.locks import lock_team
from teams.actions.tokens import create_token
from teams.activity import Actor
from teams.models import Mode, Team, Token, User
from usage.quotas.actions.limits import Limit, set_token_quota


@transaction.atomic
def create_limited_token(
    *,
    by: Actor,
    team: Team,
    user: User,
    name: str,
    limit: Limit | None,
    now: datetime,
    mode: Mode = Mode.LIVE,
    expires_at: datetime | None = None,
    models: Sequence[str] = (),
) -> tuple[Token, str]:
    """Creates a token of `user` that may spend at most `limit`, and returns it with its secret.

    Without a limit, only its holder's quota applies. If the token or the limit is refused, nothing is created.
    Raises the same errors as `create_token` and `set_token_quota`.
    """
    team = lock_team(team)
    token, secret = create_token(
        by=by, team=team, user=user, name=name, mode=mode, expires_at=expires_at, models=models
    )
    if limit is not None:
        set_token_quota(by=by, token=token, limit=limit, now=now)
    return token, secret
