"""Signal receivers: what `usage` does when `teams` changes, in the same transaction."""

from typing import Any

from django.conf import settings
from django.db.models import Model
from django.dispatch import receiver
from django.utils import timezone

from teams.activity import SITE
from teams.models import Team, User
from teams.signals import member_left, personal_space_created, team_purged
from usage.prices.models import ZeroReport
from usage.quotas.actions.limits import Limit, set_balance
from usage.quotas.actions.reservations import roll_back_reservations
from usage.quotas.models import QuotaUse, Refusal, ReservedSum
from usage.reporting.models import KeyAlert, KeyHour, KeyRejection
from usage.rollups.models import ROLLUPS, PastStamp


@receiver(personal_space_created)
def set_default_balance(*, space: Team, **_signal: Any) -> None:
    """Limits a new user's balance to the setting CALLBOARD_DEFAULT_BALANCE_USD, if that is set."""
    if settings.DEFAULT_BALANCE_USD is not None:
        set_balance(by=SITE, space=space, limit=Limit(settings.DEFAULT_BALANCE_USD), now=timezone.now())


@receiver(member_left)
def give_back_reservations(*, team: Team, user: User, **_signal: Any) -> None:
    """Rolls back the open reservations of a member who leaves a team."""
    roll_back_reservations(team=team, user=user, now=timezone.now())


@receiver(team_purged)
def erase_records(*, team_id: int, **_signal: Any) -> None:
    """Deletes the rollups, quota use and other records of a purged team.

    The use charged to its owner's balance stays, because it belongs to the owner's personal space.
    """
    of_quotas = (QuotaUse, ReservedSum, Refusal)
    of_keys = (KeyHour, KeyRejection, KeyAlert)
    tables: tuple[type[Model], ...] = (*ROLLUPS, PastStamp, ZeroReport, *of_quotas, *of_keys)
    for table in tables:
        table._default_manager.filter(team_id=team_id).delete()
