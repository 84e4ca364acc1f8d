"""`manage.py send_alerts`: looks for new alerts and sends them by mail and webhook."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from usage.alerts.run import send_alerts


class Command(BaseCommand):
    """The command. Running it more often than needed, or twice at the same time, does no harm."""

    help = (
        "Looks for quotas that reach a threshold, refused calls, unusual episodes and keys that stopped "
        "working, "
        "sends what is due, and prints how many of each. `serve` does it by itself; else run it every minute."
    )

    def handle(self, **options: Any) -> None:
        told = send_alerts(now=timezone.now())
        self.stdout.write(
            f"{told.quotas} quotas, {told.refusals} refusals, {told.episodes} anomalies, "
            f"{told.keys} failing keys, {told.delivered} messages delivered"
        )
