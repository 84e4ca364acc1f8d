"""`manage.py create_team`"""

from collections.abc import Callable

import pytest
from django.core.management.base import CommandError

from teams.models import Team
from tests.conftest import Cast


def test_it_prints_the_slug_of_a_team_with_its_owner(cast: Cast, run: Callable[..., str]) -> None:
    printed = run("create_team", "Night Shift", "--owner", "MIA@example.org", "--time-zone", "Asia/Tokyo")
    team = Team.objects.get(slug="night-shift")
    assert (printed, team.owner, team.time_zone) == ("night-shift", cast.member, "Asia/Tokyo")


@pytest.mark.parametrize(
    "arguments",
    [
        ["Night", "--owner", "nobody@example.org"],
        ["Night", "--owner", "mia@example.org", "--slug", "harbour-research"],
        ["Night", "--owner", "mia@example.org", "--slug", "no spaces"],
        ["Night", "--owner", "mia@example.org", "--time-zone", "Mars/Olympus"],
        [" ", "--owner", "mia@example.org"],
    ],
)
def test_nonsense_is_an_error(cast: Cast, run: Callable[..., str], arguments: list[str]) -> None:
    count = Team.objects.count()
    with pytest.raises(CommandError):
        run("create_team", *arguments)
    assert Team.objects.count() == count
