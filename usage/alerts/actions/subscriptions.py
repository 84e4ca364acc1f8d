"""Actions that choose which mails about a team's usage a member gets."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from teams.access import Permission
from teams.actions.checks import membership_of, require_permission
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.models import Team
from usage.anomalies.models import UsageMail
from usage.rollups.weeks import week_of


@dataclass(frozen=True)
class Subscriptions:
    """Which mails about a team a member wants. All but `own_quotas` are about others, so they need SEE_TEAM."""

    digest: bool = False
    alerts: bool = False  # anomalies
    quotas: bool = False  # of everybody in the team
    refusals: bool = False
    own_quotas: bool = True

    @property
    def tell_of_others(self) -> bool:
        return self.digest or self.alerts or self.quotas or self.refusals


def subscriptions_of(known: UsageMail | None) -> Subscriptions:
    """Returns the subscriptions that are stored in a row; without a row, the default ones."""
    if known is None:
        return Subscriptions()
    return Subscriptions(
        digest=known.wants_digest,
        alerts=known.wants_alerts,
        quotas=known.wants_quotas,
        refusals=known.wants_refusals,
        own_quotas=known.wants_own_quotas,
    )


@transaction.atomic
def set_subscriptions(*, by: Actor, team: Team, wishes: Subscriptions, now: datetime) -> UsageMail:
    """Sets which mails of a team the acting user gets. The first weekly digest is about the current week.

    Raises NotAllowedError for an outsider, and for a member who asks for more than mails about their own
    quotas. Raises ConflictError if the user left the team meanwhile.
    """
    assert by.user is not None
    team = lock_team(team)
    require_permission(by, team, Permission.SEE_OWN)
    if wishes.tell_of_others:
        require_permission(by, team, Permission.SEE_TEAM)
    membership = membership_of(team, by.user)
    known = UsageMail.objects.filter(membership=membership).first() or UsageMail(membership=membership)
    before = subscriptions_of(known)
    if before == wishes:
        return known
    if wishes.digest and not known.wants_digest:
        known.digest_week = week_of(now, team.zone).before
    for name, wanted in asdict(wishes).items():
        setattr(known, f"wants_{name}", wanted)
    known.save()
    record_activity(
        by=by,
        team=team,
        kind="alert.mail_changed",
        person=by.user,
        before=asdict(before),
        after=asdict(wishes),
    )
    return known
