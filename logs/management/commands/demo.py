"""`manage.py demo`: fills a database with invented teams and calls, for trying out Callboard."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.management.commands.serve import refuse_taken_port
from logs.demo.load import PASSWORD, SIGN_INS, clear_demo, load_demo, loaded_at
from teams.errors import ActionError


class Command(BaseCommand):
    help = "Fills an empty database with demo data, once, and prints the address and three sign-ins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset", action="store_true", help="start over, up to now")
        parser.add_argument("--serve", action="store_true", help="then serve, as `manage.py serve` does")

    def handle(self, *, reset: bool, serve: bool, **options: Any) -> None:
        if serve:
            refuse_taken_port()  # now, not after the half minute that loading takes
        call_command("migrate", verbosity=0)
        try:
            self.fill(reset)
        except ActionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"\n{settings.BASE_URL}/")
        for role, email in SIGN_INS.items():
            self.stdout.write(f"  {role:<14} {email:<28} {PASSWORD}")
        if serve:
            call_command("serve")

    def fill(self, reset: bool) -> None:
        if reset:
            clear_demo()
        since = loaded_at()
        if since is None:
            load_demo(now=timezone.now())
        else:
            self.stderr.write(f"The demo was loaded on {since:%Y-%m-%d %H:%M} UTC; --reset starts over.")
