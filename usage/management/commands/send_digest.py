"""`manage.py send_digest`: sends last week's digest to each subscriber who has not received it yet."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from teams.management.lookup import team_at
from usage.alerts.digest import send_digests
from usage.alerts.outbox import send_due


class Command(BaseCommand):
    help = (
        "Sends the weekly digests that are due and prints how many. `serve` does it by itself; else run it "
        "every hour or day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", metavar="SLUG", help="default: all teams")

    def handle(self, *, team: str | None, **options: Any) -> None:
        teams = [team_at(team)] if team else None
        now = timezone.now()
        self.stdout.write(str(send_digests(now=now, teams=teams)))
        send_due(now=now)
