"""API tokens: made with a secret that is shown once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.models import Membership, Mode, Team, Token, User
from teams.secrets import TOKEN_PREFIXES, digest, new_secret, shown_prefix


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
    """Makes a token of `user` in the context `team`; returns it with its secret, which is not stored.

    Raises ActionError when the user is not a member or the name is empty.
    """
    team = lock_team(team)
    if not name.strip():
        raise ActionError(_("Give the token a name, such as the machine it is for."), field="name")
    if not Membership.objects.filter(team=team, user=user, user__is_active=True).exists():
        raise ActionError(_("%(person)s is not in this team.") % {"person": user.label})
    secret = new_secret(TOKEN_PREFIXES[mode])
    token = Token.objects.create(
        team=team,
        user=user,
        name=name.strip(),
        mode=mode,
        expires_at=expires_at,
        models=list(models),
        prefix=shown_prefix(secret),
        digest=digest(secret),
    )
    record_activity(
        by=by,
        team=team,
        kind="token.created",
        person=user,
        subject=token.name,
        after={"id": token.public_id, "mode": mode.word},
    )
    return token, secret
