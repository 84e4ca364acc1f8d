"""Proves that statistics and quota use are what the calls add up to."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logs.recount import Difference, differences, owner_differences, recount
from logs.retention import kept_from
from teams.models import Mode, Team


class Command(BaseCommand):
    """Exit status 1, and a line for each number that differs, when they are not."""

    help = "Adds up the calls again and compares with statistics and quota use; exit 1 on a difference."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", help="slug of the one team to check (owners' balances are then left out)")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["team"]
        teams = Team.objects.filter(slug=slug) if slug else Team.objects.order_by("pk")
        if slug and not teams:
            raise CommandError(f"There is no team {slug}.")
        calls = found = 0
        for mode in Mode:
            owner_uses: dict[Any, list[int]] = {}
            for team in teams:
                since = kept_from(team)
                counted = recount(team, mode, since)
                calls += counted.calls
                found += self._report(differences(team, mode, counted, since))
                for key, (number, nanos) in counted.owner_uses.items():
                    sums = owner_uses.setdefault(key, [0, 0])
                    sums[0], sums[1] = sums[0] + number, sums[1] + nanos
            if not slug:
                found += self._report(owner_differences(mode, owner_uses))
        if found:
            raise CommandError(f"{found} numbers differ; `rebuild_usage` writes them anew from the calls.")
        self.stdout.write(f"{calls} calls, no difference")

    def _report(self, found: Iterable[Difference]) -> int:
        lines = [str(difference) for difference in found]
        for line in lines:
            self.stdout.write(line)
        return len(lines)
