"""What of alerts is deleted with time; the command `housekeeping` does it, and `serve` by itself."""

from datetime import date, datetime, timedelta
from typing import Final

from usage.models import Message, ToldRefusal, ToldThreshold

KEPT: Final = timedelta(days=30)
MOST_KEPT: Final = 1000  # of a team
# Longer than any period, after which what was told of it matters no more.
_TOLD_FOR: Final = timedelta(days=100)
_STEP: Final = 1000


def delete_old_messages(*, now: datetime) -> int:
    """Deletes messages that are older than 30 days, and of each team those beyond its newest thousand; how
    many. Then what was told of periods long over."""
    deleted = 0
    for team_id in Message.objects.order_by().values_list("team", flat=True).distinct():
        of_team = Message.objects.filter(team=team_id).order_by("-pk")
        oldest = of_team.values_list("pk", flat=True)[MOST_KEPT - 1 : MOST_KEPT].first()
        beyond = of_team.filter(pk__lt=oldest) if oldest else of_team.none()
        for old in (beyond, of_team.filter(created_at__lt=now - KEPT)):
            while ids := list(old.values_list("pk", flat=True)[:_STEP]):
                deleted += Message.objects.filter(pk__in=ids).delete()[0]
    ended = ToldThreshold.objects.filter(first_day__lt=(now - _TOLD_FOR).date())
    ended.exclude(first_day=date.min).delete()  # a period that never ends
    ToldRefusal.objects.filter(told_at__lt=now - _TOLD_FOR).delete()
    return deleted
