"""Actions on the alert thresholds of a team: the percentages of a limit at which quota alerts are sent."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from teams.access import Permission
from teams.actions.checks import require_permission
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.models import Team
from usage.alerts.models import DEFAULT_THRESHOLDS, AlertPolicy

MOST_THRESHOLDS = 8
HIGHEST = 200  # percent: calls without a reservation are charged even beyond the limit


def thresholds_of(team: Team) -> list[int]:
    """Returns the team's thresholds in percent, ascending; empty if the team wants no quota alerts."""
    policy = AlertPolicy.objects.filter(team=team).first()
    return list(policy.thresholds if policy else DEFAULT_THRESHOLDS)


@transaction.atomic
def set_thresholds(*, by: Actor, team: Team, percents: Iterable[int]) -> list[int]:
    """Sets the alert thresholds for all quotas of the team; returns them in ascending order.

    Alerts that were already sent in the current period are not sent again. Raises NotAllowedError, and
    ActionError for an invalid percentage or too many of them.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.EDIT_TEAM)
    wanted = sorted(set(percents))
    if len(wanted) > MOST_THRESHOLDS:
        raise ActionError(_("Enter at most %d percentages.") % MOST_THRESHOLDS, field="thresholds")
    if any(not 1 <= percent <= HIGHEST for percent in wanted):
        message = _("Enter whole percentages from 1 to %d.") % HIGHEST
        raise ActionError(message, field="thresholds")
    before = thresholds_of(team)
    if before == wanted:
        return wanted
    AlertPolicy.objects.update_or_create({"thresholds": wanted}, team=team)
    record_activity(
        by=by,
        team=team,
        kind="alert.thresholds_changed",
        before={"percent": before},
        after={"percent": wanted},
    )
    return wanted
