"""`manage.py add_member`: adds a user to a team without an invitation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from teams.actions.members import add_member
from teams.activity import SITE
from teams.management.lookup import command_errors, team_at, user_with
from teams.models import Role


class Command(BaseCommand):
    help = "Adds a user to a team and prints their role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("team", metavar="SLUG")
        parser.add_argument("email")
        parser.add_argument("--role", choices=[Role.ADMINISTRATOR, Role.MEMBER], default=Role.MEMBER.value)

    def handle(self, *, team: str, email: str, role: str, **options: Any) -> None:
        with command_errors():
            membership = add_member(by=SITE, team=team_at(team), user=user_with(email), role=role)
        self.stdout.write(str(membership.role))
