"""`manage.py create_token`: creates an API token of a user in a team or in their personal space."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from teams.actions.tokens import create_token
from teams.activity import SITE
from teams.management.lookup import command_errors, expiry, team_at, user_with
from teams.models import Mode, Team


class Command(BaseCommand):
    help = "Creates an API token and prints its secret, which is shown only once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the holder")
        parser.add_argument("--team", metavar="SLUG", help="the context; default: the holder's personal space")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--test", action="store_true", help="create a token for test mode")
        parser.add_argument("--days", type=int, help="days until it expires; default: never")

    def handle(self, *, email: str, team: str | None, name: str, test: bool, **options: Any) -> None:
        user = user_with(email)
        context = team_at(team) if team else Team.objects.get(owner=user, is_personal=True)
        with command_errors():
            _token, secret = create_token(
                by=SITE,
                team=context,
                user=user,
                name=name,
                mode=Mode.TEST if test else Mode.LIVE,
                expires_at=expiry(options["days"]),
            )
        self.stdout.write(secret)
