"""Sets the quota and the role of a member together, from one form."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from teams.actions.locks import lock_team
from teams.actions.members import change_role
from teams.activity import Actor
from teams.models import Team, User
from usage.quotas.actions.limits import Limit, set_member_quota


@dataclass(frozen=True)
class MemberChange:
    """What to change about a member.

    `limit` is only used if `sets_limit` is true; None then removes the limit. An empty `role` means no change.
    """

    sets_limit: bool = False
    limit: Limit | None = None
    role: str = ""
    note: str = ""


@transaction.atomic
def edit_member(*, by: Actor, team: Team, user: User, change: MemberChange, now: datetime) -> None:
    """Sets the quota and the role of a member: both or, if one is refused, neither.

    Raises the same errors as `set_member_quota` and `change_role`. Unchanged values are not written.
    """
    lock_team(team)
    if change.sets_limit:
        set_member_quota(by=by, team=team, user=user, limit=change.limit, now=now, note=change.note)
    if change.role:
        change_role(by=by, team=team, user=user, role=change.role, now=now)
