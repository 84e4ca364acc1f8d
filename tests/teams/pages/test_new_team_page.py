"""The page for a new team."""

from collections.abc import Callable

import pytest
from django.test import Client

from teams.models import Role, Team
from tests.conftest import Cast
from tests.teams.conftest import role_of
from tests.teams.pages.conftest import text_of


def test_anybody_makes_a_team_and_owns_it(cast: Cast, client_of: Callable[..., Client]) -> None:
    data = {"name": "Night Shift", "description": "", "time_zone": "Asia/Tokyo"}
    response = client_of("former").post("/teams/new/", data, follow=True)
    team = Team.objects.get(slug="night-shift")
    assert role_of(team, cast.former) == Role.OWNER
    assert "Night Shift was created." in text_of(response)


@pytest.mark.parametrize("wrong", [{"name": ""}, {"time_zone": "Mars"}, {"name": "\x00"}])
def test_nonsense_names_the_field(cast: Cast, client_of: Callable[..., Client], wrong: dict[str, str]) -> None:
    count = Team.objects.count()
    response = client_of("former").post("/teams/new/", {"name": "Night", "time_zone": "UTC"} | wrong)
    assert response.status_code == 422
    assert Team.objects.count() == count
