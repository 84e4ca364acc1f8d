"""`manage.py create_user`: creates a user with a personal space."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from teams.actions.staff import make_staff
from teams.actions.users import create_user
from teams.activity import SITE
from teams.management.lookup import command_errors


class Command(BaseCommand):
    help = "Creates a user with a verified address, and prints their public id (usr_…)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--staff", action="store_true", help="make the user support staff in the Django admin"
        )
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input; without it the user sets one by “Forgot your password?”",
        )

    def handle(self, *, email: str, name: str, staff: bool, password_stdin: bool, **options: Any) -> None:
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        with command_errors(), transaction.atomic():
            user = create_user(email=email, password=password or None, name=name, verified=True)
            if staff:
                make_staff(by=SITE, user=user)
        self.stdout.write(user.public_id)
