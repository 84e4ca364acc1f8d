"""`manage.py create_token`"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from teams.credentials import find_credential
from teams.models import Mode, Token
from tests.conftest import Cast


def test_it_prints_the_secret_of_a_token_in_the_team(cast: Cast, run: Callable[..., str]) -> None:
    found = find_credential(
        run("create_token", "mia@example.org", "--team", "harbour-research"), timezone.now()
    )
    assert isinstance(found, Token)
    assert (found.team, found.user, found.mode, found.expires_at) == (cast.team, cast.member, Mode.LIVE, None)


def test_without_a_team_it_is_for_the_personal_space(cast: Cast, run: Callable[..., str]) -> None:
    found = find_credential(run("create_token", "mia@example.org"), timezone.now())
    assert found.team.is_personal
    assert found.team.owner == cast.member


def test_test_tokens_and_expiry(cast: Cast, run: Callable[..., str]) -> None:
    secret = run("create_token", "mia@example.org", "--test", "--days", "30", "--name", "CI")
    assert secret.startswith("cb_test_")
    token = Token.objects.get()
    assert (token.mode, token.name) == (Mode.TEST, "CI")
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody@example.org"],
        ["mia@example.org", "--team", "nowhere"],
        ["otto@example.org", "--team", "harbour-research"],
        ["fay@example.org", "--team", "harbour-research"],
        ["mia@example.org", "--days", "0"],
        ["mia@example.org", "--name", " "],
    ],
)
def test_nonsense_is_an_error(cast: Cast, run: Callable[..., str], arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("create_token", *arguments)
    assert not Token.objects.exists()
