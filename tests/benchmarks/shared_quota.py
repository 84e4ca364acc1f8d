"""`python -m tests.benchmarks.shared_quota make 1000 | read`: one quota that many clients reserve from.

`make` prints the secret of a token whose team has a quota for so many cents, and whose owner's balance is a
little larger, so that every level is asked. `read` prints each level's limit and what is taken of it.
"""

import json
import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

from teams.actions.teams import create_team  # noqa: E402
from teams.actions.tokens import create_token  # noqa: E402
from teams.actions.users import create_user  # noqa: E402
from teams.activity import SITE  # noqa: E402
from teams.models import Mode, Team  # noqa: E402
from usage.prices.money import to_usd  # noqa: E402
from usage.quotas.actions.limits import Limit, set_balance, set_team_quota  # noqa: E402
from usage.quotas.availability import Subject, levels_of, payer_of  # noqa: E402

_SLUG = "shared-quota"
_CENT = 10_000_000  # nano-dollars


def make(cents: int) -> str:
    """The secret of a token in a new team with that quota."""
    now = timezone.now()
    owner = create_user(email="payer@example.org")
    team = create_team(by=SITE, owner=owner, name="Shared quota", slug=_SLUG)
    set_team_quota(by=SITE, team=team, limit=Limit(to_usd(cents * _CENT)), now=now)
    set_balance(by=SITE, space=payer_of(team), limit=Limit(to_usd((cents + 50) * _CENT)), now=now)
    return create_token(by=SITE, team=team, user=owner, name="bench")[1]


def read() -> list[tuple[int, int]]:
    """Limit, and used and reserved together, of team and balance."""
    team = Team.objects.get(slug=_SLUG)
    levels = levels_of(Subject(team, payer_of(team), Mode.LIVE), timezone.now())
    return [(state.limit_nanos or 0, state.used_nanos + state.reserved_nanos) for state in levels]


if __name__ == "__main__":
    print(make(int(sys.argv[2])) if sys.argv[1] == "make" else json.dumps(read()))
