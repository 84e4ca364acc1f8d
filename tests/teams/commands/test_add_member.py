"""`manage.py add_member`"""

import pytest
from django.core.management.base import CommandError

from tests.teams.conftest import role_of


@pytest.mark.parametrize("role", ["member", "administrator"])
def test_it_prints_the_role(cast, run, role):
    assert run("add_member", "harbour-research", "fay@example.org", "--role", role) == role
    assert role_of(cast.team, cast.former) == role


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere", "fay@example.org"],
        ["harbour-research", "nobody@example.org"],
        ["harbour-research", "mia@example.org"],
        ["harbour-research", "fay@example.org", "--role", "owner"],
    ],
)
def test_nonsense_is_an_error(cast, run, arguments):
    with pytest.raises(CommandError):
        run("add_member", *arguments)
    assert role_of(cast.team, cast.former) is None
