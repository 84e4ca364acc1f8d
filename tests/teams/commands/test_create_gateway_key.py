"""`manage.py create_gateway_key`"""

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from teams.credentials import find_credential
from teams.models import GatewayKey


def test_it_prints_the_secret_of_a_key_of_the_team(cast, run):
    found = find_credential(run("create_gateway_key", "--team", "harbour-research"), timezone.now())
    assert found.team == cast.team


def test_without_a_team_it_is_for_the_whole_site(db, run):
    assert find_credential(run("create_gateway_key", "--name", "LiteLLM"), timezone.now()).team is None
    assert GatewayKey.objects.get().name == "LiteLLM"


@pytest.mark.parametrize("arguments", [["--team", "nowhere"], ["--name", " "], ["--days", "-1"]])
def test_nonsense_is_an_error(cast, run, arguments):
    with pytest.raises(CommandError):
        run("create_gateway_key", *arguments)
    assert not GatewayKey.objects.exists()
