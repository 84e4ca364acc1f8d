"""`manage.py housekeeping`: deletes expired data."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from logs.integrity.housekeeping import run_all_housekeeping


class Command(BaseCommand):
    """Runs the daily housekeeping now. It does no harm to run it more often, or twice at the same time."""

    help = (
        "Deletes calls past their retention, old reservations and old messages, purges deleted teams, lapses old "
        "offers. `serve` does it by itself; else run it daily."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = run_all_housekeeping(now=timezone.now())
        self.stdout.write(", ".join(f"{number} {what}" for what, number in done.items()))
