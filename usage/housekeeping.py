"""Deletes old reservations, refusals, alerts, messages and reports about keys.

Run by `manage.py housekeeping` and by `manage.py serve`. Rollups and quota use are never deleted here, so past
periods stay visible after their calls are deleted.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from usage.alerts.models import Message, RefusalAlert, ThresholdAlert
from usage.quotas.levels import slot_of
from usage.quotas.models import Refusal, Reservation, ReservedSum
from usage.reporting.models import KeyAlert, KeyHour, KeyRejection

# A call that is reported late, after an outage of the gateway or of this site, still settles its reservation
# exactly once. After this time it is charged like any other call, with a warning: the reservation expired long
# ago, so nothing is lost and nothing is charged twice.
KEEP_RESERVATIONS: Final = timedelta(days=30)
# A past slot is never summed again (`usage.quotas.levels`). One day allows for servers whose clocks differ.
KEEP_SUMS: Final = timedelta(days=1)
# Long enough to compare a month with the same month of the previous year.
KEEP_REFUSALS: Final = timedelta(days=400)
KEEP_MESSAGES: Final = timedelta(days=30)
MOST_MESSAGES: Final = 1000  # of a team
# Pages show the last seven days (`usage.reporting.figures`), which begin within an eighth calendar day.
KEEP_REPORTS: Final = timedelta(days=8)
# Longer than any period, after which a sent alert no longer matters.
_KEEP_ALERTS: Final = timedelta(days=100)
# Rows deleted by one statement: short enough that writers hardly wait.
_STEP: Final = 5_000


def run_housekeeping(*, now: datetime) -> dict[str, int]:
    """Deletes rows that are no longer needed, in small steps, and returns the number of deleted rows of each
    kind.
    """
    alerts = ThresholdAlert.objects.filter(first_day__lt=(now - _KEEP_ALERTS).date())
    old: dict[str, QuerySet[Any]] = {
        "reservations deleted": Reservation.objects.filter(expires_at__lt=now - KEEP_RESERVATIONS),
        "reserved sums deleted": ReservedSum.objects.filter(slot__lt=slot_of(now - KEEP_SUMS)),
        "refusals deleted": Refusal.objects.filter(hour__lt=now - KEEP_REFUSALS),
        "sent threshold alerts deleted": alerts.exclude(
            first_day=date.min
        ),  # which means a period that never ends
        "sent refusal alerts deleted": RefusalAlert.objects.filter(alerted_at__lt=now - _KEEP_ALERTS),
        "hours of keys deleted": KeyHour.objects.filter(hour__lt=now - KEEP_REPORTS),
        "rejections of keys deleted": KeyRejection.objects.filter(at__lt=now - KEEP_REPORTS),
        "alerts of keys deleted": KeyAlert.objects.filter(sent_at__lt=now - _KEEP_ALERTS),
    }
    done = {what: _delete_in_steps(rows) for what, rows in old.items()}
    return done | {"messages deleted": _delete_messages(now)}


def _delete_messages(now: datetime) -> int:
    """Deletes messages that are too old, and those beyond each team's newest MOST_MESSAGES; returns how many."""
    deleted = _delete_in_steps(Message.objects.filter(created_at__lt=now - KEEP_MESSAGES))
    for team_id in Message.objects.order_by().values_list("team", flat=True).distinct():
        of_team = Message.objects.filter(team=team_id).order_by("-pk")
        oldest = of_team.values_list("pk", flat=True)[MOST_MESSAGES - 1 : MOST_MESSAGES].first()
        if oldest:
            deleted += _delete_in_steps(of_team.filter(pk__lt=oldest))
    return deleted


def _delete_in_steps(rows: QuerySet[Any]) -> int:
    """Deletes rows in batches in the order of the primary key, so that no other index is needed; returns how
    many.
    """
    deleted, more = 0, rows.order_by("pk")
    while keys := list(more.values_list("pk", flat=True)[:_STEP]):
        deleted += rows.order_by().filter(pk__gte=keys[0], pk__lte=keys[-1]).delete()[0]
        more = rows.filter(pk__gt=keys[-1]).order_by("pk")
    return deleted
