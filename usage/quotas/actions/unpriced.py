"""Reads and sets how much a team reserves for a call whose price is not known."""

from decimal import Decimal

from django.db import transaction

from teams.access import Permission
from teams.actions.checks import require_permission
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.models import Team
from usage.prices.money import AmountError, amount_nanos, usd_string
from usage.quotas.models import DEFAULT_UNPRICED_NANOS, UnpricedReserve


def unpriced_reserve_of(team: Team) -> int:
    """Returns the nano-dollars that the team reserves for a call without a price; 0 if nothing is reserved."""
    found = UnpricedReserve.objects.filter(team=team).values_list("amount_nanos", flat=True).first()
    return DEFAULT_UNPRICED_NANOS if found is None else found


@transaction.atomic
def set_unpriced_reserve(*, by: Actor, team: Team, usd: Decimal) -> int:
    """Sets how much the next reservations of calls without a price take, and returns it in nano-dollars.

    Raises NotAllowedError, and ActionError for an invalid amount.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.SET_QUOTAS)
    try:
        wanted = amount_nanos(usd)
    except AmountError as error:
        raise ActionError(str(error), field="amount") from error
    before = unpriced_reserve_of(team)
    if before == wanted:
        return wanted
    UnpricedReserve.objects.update_or_create({"amount_nanos": wanted}, team=team)
    record_activity(
        by=by,
        team=team,
        kind="quota.unpriced_changed",
        before={"usd": usd_string(before)},
        after={"usd": usd_string(wanted)},
    )
    return wanted
