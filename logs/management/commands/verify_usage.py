"""`manage.py verify_usage`: checks that statistics and quota use are the sums of the stored calls."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.snapshot import one_snapshot
from logs.integrity.recount import Difference, differences, owner_differences, recount
from logs.recording.kept_calls import balance_kept_from, kept_from
from teams.models import Mode, Team
from usage.rollups.buckets import day_start, first_day_anywhere


class Command(BaseCommand):
    """Prints a line for each difference, and exits with status 1 if there are any."""

    help = "Adds up the calls again and compares with statistics and quota use; exit 1 on a difference."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", help="slug of the one team to check (owners' balances are then left out)")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["team"]
        teams = Team.objects.filter(slug=slug) if slug else Team.objects.order_by("pk")
        if slug and not teams:
            raise CommandError(f"There is no team {slug}.")
        with one_snapshot():  # otherwise calls recorded meanwhile would be in the statistics only
            checked = [self._check(mode, teams, with_owners=not slug) for mode in Mode]
        if found := sum(differing for _calls, differing in checked):
            raise CommandError(f"{found} numbers differ; `rebuild_usage` writes them anew from the calls.")
        self.stdout.write(f"{sum(calls for calls, _differing in checked)} calls, no difference")

    def _check(self, mode: Mode, teams: Iterable[Team], *, with_owners: bool) -> tuple[int, int]:
        """Checks one mode: prints the differences, and returns (number of calls, number of differences)."""
        calls = found = 0
        # Balances are compared from the day on which the calls of all teams, even purged ones, are stored.
        first = balance_kept_from() or date.min
        owner_uses: dict[Any, list[int]] = {}
        for team in teams:
            since = kept_from(team)
            if since:
                first = max(first, first_day_anywhere(day_start(since, team.zone)))
            counted = recount(team, mode, since)
            calls += counted.calls
            found += self._report(differences(team, mode, counted, since))
            for key, (number, nanos) in counted.owner_uses.items():
                sums = owner_uses.setdefault(key, [0, 0])
                sums[0], sums[1] = sums[0] + number, sums[1] + nanos
        if with_owners:
            found += self._report(owner_differences(mode, owner_uses, first))
        return calls, found

    def _report(self, found: Iterable[Difference]) -> int:
        lines = [str(difference) for difference in found]
        for line in lines:
            self.stdout.write(line)
        return len(lines)
