"""`manage.py send_alerts`: tells of unusual episodes that nobody was told of."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from usage.unusual.alerts import alert_unusual


class Command(BaseCommand):
    help = (
        "Mails what was unusual in the last day, once for each episode, and prints how many; run it every hour."
    )

    def handle(self, **options: Any) -> None:
        self.stdout.write(str(alert_unusual(now=timezone.now())))
