"""`manage.py create_gateway_key`: creates a key with which a gateway reports the calls of others."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.management.lookup import command_errors, expiry, team_at


class Command(BaseCommand):
    help = (
        "Creates a gateway key of a team or of the whole site, and prints its secret, which is shown only once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", metavar="SLUG", help="default: the whole site")
        parser.add_argument("--name", default="gateway")
        parser.add_argument("--days", type=int, help="days until it expires; default: never")

    def handle(self, *, team: str | None, name: str, days: int | None, **options: Any) -> None:
        with command_errors():
            _key, secret = create_gateway_key(
                by=SITE, team=team_at(team) if team else None, name=name, expires_at=expiry(days)
            )
        self.stdout.write(secret)
