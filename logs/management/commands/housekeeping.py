"""What time alone brings about: run it every day, by cron or a timer."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from logs.retention import delete_old_calls
from teams.housekeeping import keep_house


class Command(BaseCommand):
    """Running it oftener, or two at once, does no harm."""

    help = "Deletes calls past their retention, purges deleted teams, lapses old offers. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        done = keep_house(now=now) | {"calls deleted": delete_old_calls(now=now)}
        self.stdout.write(", ".join(f"{number} {what}" for what, number in done.items()))
