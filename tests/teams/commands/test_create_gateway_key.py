"""`manage.py create_gateway_key`"""

from collections.abc import Callable

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from teams.credentials import find_credential
from teams.models import GatewayKey
from tests.conftest import Cast


def test_it_prints_the_secret_of_a_key_of_the_team(cast: Cast, run: Callable[..., str]) -> None:
    found = find_credential(run("create_gateway_key", "--team", "harbour-research"), timezone.now())
    assert found.team == cast.team


def test_without_a_team_it_is_for_the_whole_site(db: None, run: Callable[..., str]) -> None:
    assert find_credential(run("create_gateway_key", "--name", "LiteLLM"), timezone.now()).team is None
    assert GatewayKey.objects.get().name == "LiteLLM"


@pytest.mark.parametrize("arguments", [["--team", "nowhere"], ["--name", " "], ["--days", "-1"]])
def test_nonsense_is_an_error(cast: Cast, run: Callable[..., str], arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("create_gateway_key", *arguments)
    assert not GatewayKey.objects.exists()
