"""Which mails about a team's usage somebody gets."""

from datetime import datetime

from django.db import transaction

from teams.access import Permission
from teams.actions.locks import lock_team
from teams.actions.standing import membership_of, require
from teams.activity import Actor, record_activity
from teams.models import Team
from usage.models import UsageMail
from usage.weeks import week_of


@transaction.atomic
def set_usage_mail(
    *, by: Actor, team: Team, wants_digest: bool, wants_alerts: bool, now: datetime
) -> UsageMail:
    """Sets one's own mails of a team; the first digest comes when the present week is over.

    Raises NotAllowedError unless an owner or administrator acts, ConflictError when they left meanwhile.
    """
    assert by.user is not None
    team = lock_team(team)
    require(by, team, Permission.SEE_TEAM)
    membership = membership_of(team, by.user)
    known = UsageMail.objects.filter(membership=membership).first() or UsageMail(membership=membership)
    before = {"digest": known.wants_digest, "alerts": known.wants_alerts}
    after = {"digest": wants_digest, "alerts": wants_alerts}
    if before == after:
        return known
    if wants_digest and not known.wants_digest:
        known.digest_week = week_of(now, team.zone).before
    known.wants_digest, known.wants_alerts = wants_digest, wants_alerts
    known.save()
    record_activity(by=by, team=team, kind="alert.mail_changed", person=by.user, before=before, after=after)
    return known
