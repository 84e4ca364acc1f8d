"""Gateway keys: of one team, or of the site."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.models import GatewayKey, Team
from teams.secrets import GATEWAY_PREFIX, digest, new_secret, shown_prefix


@transaction.atomic
def create_gateway_key(
    *, by: Actor, team: Team | None, name: str, expires_at: datetime | None = None
) -> tuple[GatewayKey, str]:
    """Makes a gateway key of `team`, or of the site when that is None; returns it with its secret.

    Raises ActionError when the name is empty.
    """
    if not name.strip():
        raise ActionError(_("Give the key a name, such as the gateway it is for."), field="name")
    if team is not None:
        team = lock_team(team)
    secret = new_secret(GATEWAY_PREFIX)
    key = GatewayKey.objects.create(
        team=team,
        name=name.strip(),
        expires_at=expires_at,
        created_by=by.user,
        prefix=shown_prefix(secret),
        digest=digest(secret),
    )
    record_activity(by=by, team=team, kind="gateway_key.created", subject=key.name, after={"id": key.public_id})
    return key, secret
