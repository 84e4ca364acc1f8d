"""`manage.py rebuild_usage`: recalculates statistics and quota use from the stored calls."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logs.integrity.recount import rebuild_owner, rebuild_team
from logs.recording.kept_calls import kept_from
from teams.models import Team


class Command(BaseCommand):
    """Rebuilds team by team, each in one transaction; calls reported for that team wait meanwhile.

    Then rebuilds the balances of the teams' owners.
    """

    help = "Writes statistics and quota use anew from the calls, for all teams or one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", help="slug of the one team to rebuild")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["team"]
        teams = Team.objects.filter(slug=slug) if slug else Team.objects.order_by("pk")
        if slug and not teams:
            raise CommandError(f"There is no team {slug}.")
        calls = sum(rebuild_team(team, since=kept_from(team)) for team in teams)
        for space in Team.objects.filter(is_personal=True, owner__in=[team.owner_id for team in teams]):
            rebuild_owner(space)
        self.stdout.write(f"{calls} calls counted again")
