"""`manage.py add_member`"""

from collections.abc import Callable

import pytest
from django.core.management.base import CommandError

from tests.conftest import Cast
from tests.teams.conftest import role_of


@pytest.mark.parametrize("role", ["member", "administrator"])
def test_it_prints_the_role(cast: Cast, run: Callable[..., str], role: str) -> None:
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
def test_nonsense_is_an_error(cast: Cast, run: Callable[..., str], arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("add_member", *arguments)
    assert role_of(cast.team, cast.former) is None
