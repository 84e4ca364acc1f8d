"""What time alone brings about: run it every day, by cron or a timer."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from logs.retention import delete_old_calls
from teams import housekeeping as of_teams
from usage import housekeeping as of_usage


class Command(BaseCommand):
    """Running it oftener, or two at once, does no harm."""

    help = (
        "Deletes calls past their retention and old reservations, purges deleted teams, lapses old offers. "
        "Run it daily."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        done = of_teams.keep_house(now=now) | {"calls deleted": delete_old_calls(now=now)}
        done |= of_usage.keep_house(now=now)
        self.stdout.write(", ".join(f"{number} {what}" for what, number in done.items()))
