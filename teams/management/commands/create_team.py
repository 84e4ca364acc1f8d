"""`manage.py create_team`: creates a team with its owner."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from teams.actions.teams import create_team
from teams.activity import SITE
from teams.management.lookup import command_errors, user_with


class Command(BaseCommand):
    help = "Creates a team and prints its slug, which identifies it in URLs and the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--slug", default="", help="default: derived from the name")
        parser.add_argument("--description", default="")
        parser.add_argument("--time-zone", default="", help="default: the site's TIME_ZONE")

    def handle(self, *, name: str, owner: str, **options: Any) -> None:
        fields = {key: options[key] for key in ("slug", "description", "time_zone")}
        with command_errors():
            team = create_team(by=SITE, owner=user_with(owner), name=name, **fields)
        self.stdout.write(team.slug)
