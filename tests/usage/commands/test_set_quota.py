"""`manage.py set_quota`"""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from teams.models import Activity, Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import nanos
from usage.quotas.models import Level, Period, Quota


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("set_quota", *arguments, stdout=out)
    return out.getvalue()


def test_it_sets_every_level_and_prints_the_limit_alone(
    cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    for arguments, level in [
        (["--team", "harbour-research"], Level.TEAM),
        (["--team", "harbour-research", "--member", "MIA@example.org"], Level.MEMBER),
        (["--token", token.public_id], Level.TOKEN),
    ]:
        assert run(*arguments, "12.5", "--period", "week") == "12.50 week\n"
        quota = Quota.objects.order_by("id").last()
        assert (quota.level, quota.limit_nanos, quota.period) == (level, nanos("12.5"), Period.WEEK)
    assert Activity.objects.filter(kind="quota.changed", actor=None).count() == 3


def test_it_sets_an_owners_balance(cast: Cast) -> None:
    assert run("--balance", "olivia@example.org", "100") == "100.00 month\n"
    assert Quota.objects.get().team == Team.objects.get(owner=cast.owner, is_personal=True)


def test_none_removes_the_limit(cast: Cast) -> None:
    run("--team", "harbour-research", "5")
    assert run("--team", "harbour-research", "none") == "none\n"
    assert not Quota.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["5"],
        ["--member", "mia@example.org", "5"],
        ["--team", "harbour-research", "--token", "tok_x", "5"],
        ["--team", "nowhere", "5"],
        ["--team", "harbour-research", "--member", "fay@example.org", "5"],
        ["--team", "harbour-research", "--member", "nobody@example.org", "5"],
        ["--token", "tok_x", "5"],
        ["--balance", "nobody@example.org", "5"],
        ["--team", "harbour-research", "much"],
        ["--team", "harbour-research", "0.0000000001"],
        ["--team", "harbour-research", "--", "-5"],
    ],
)
def test_what_makes_no_sense_is_an_error_that_says_so(cast: Cast, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert str(refused.value)
    assert not Quota.objects.exists()
