"""`manage.py set_quota`: sets or removes the limit of a team, a member, a token, or an owner's balance."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from teams.activity import SITE
from teams.management.lookup import command_errors, team_at, user_with
from teams.models import Team, Token
from usage.prices.money import AmountError, read_usd, usd_string
from usage.quotas.actions.limits import Limit, set_balance, set_member_quota, set_team_quota, set_token_quota
from usage.quotas.models import Period, Quota


class Command(BaseCommand):
    help = "Sets or removes a quota and prints it: `set_quota --team SLUG --member EMAIL 25 --period week`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("amount", help="US dollars, or none to remove the limit")
        parser.add_argument("--period", choices=Period.values, default=Period.MONTH.value)
        parser.add_argument("--team", metavar="SLUG", help="the team's own quota, or with --member a member's")
        parser.add_argument("--member", metavar="EMAIL")
        parser.add_argument("--token", metavar="tok_…", help="a token's quota")
        parser.add_argument("--balance", metavar="EMAIL", help="the balance of an owner")

    def handle(self, *, amount: str, period: str, **options: Any) -> None:
        limit = _limit(amount, Period(period))
        with command_errors():
            quota = _set(limit, timezone.now(), **{name: options[name] for name in _TARGETS})
        self.stdout.write(f"{usd_string(quota.limit_nanos)} {quota.period}" if quota else "none")


_TARGETS = ("team", "member", "token", "balance")


def _limit(amount: str, period: Period) -> Limit | None:
    if amount == "none":
        return None
    try:
        return Limit(read_usd(amount), period)
    except AmountError as error:
        raise CommandError(str(error)) from error


def _set(
    limit: Limit | None,
    now: datetime,
    *,
    team: str | None,
    member: str | None,
    token: str | None,
    balance: str | None,
) -> Quota | None:
    given = [name for name in (team, token, balance) if name]
    if len(given) != 1 or (member and not team):
        raise CommandError("Name one of --team, --team with --member, --token, --balance.")
    if token:
        found = Token.objects.filter(public_id=token).select_related("team").first()
        if found is None:
            raise CommandError(f"There is no token {token}.")
        return set_token_quota(by=SITE, token=found, limit=limit, now=now)
    if balance:
        space = Team.objects.get(is_personal=True, owner=user_with(balance))
        return set_balance(by=SITE, space=space, limit=limit, now=now)
    assert team is not None
    if member:
        user = user_with(member)
        return set_member_quota(by=SITE, team=team_at(team), user=user, limit=limit, now=now)
    return set_team_quota(by=SITE, team=team_at(team), limit=limit, now=now)
