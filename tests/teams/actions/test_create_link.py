"""Inviting people by a link."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from teams.actions.invitations import create_link
from teams.activity import Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import Invitation, Role
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity


@pytest.fixture
def link(cast: Cast, act: Callable[..., Actor]) -> Callable[..., tuple[Invitation, str]]:
    def go(by: str = "owner", role: Role = Role.MEMBER, **more: Any) -> tuple[Invitation, str]:
        return create_link(by=act(by), team=cast.team, role=role, now=NOW, **more)

    return go


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_a_link_works_once_for_seven_days_unless_said_otherwise(
    link: Callable[..., tuple[Invitation, str]], by: str
) -> None:
    invitation, address = link(by)
    assert (invitation.max_uses, invitation.expires_at) == (1, NOW + timedelta(days=7))
    assert "/invite/cb_inv_" in address
    assert newest_activity().kind == "invitation.link_created"


def test_role_lifetime_and_uses_can_be_chosen(link: Callable[..., tuple[Invitation, str]]) -> None:
    invitation, _ = link(role=Role.ADMINISTRATOR, lifetime=timedelta(days=1), max_uses=10)
    assert (invitation.role, invitation.max_uses) == (Role.ADMINISTRATOR, 10)
    assert invitation.expires_at == NOW + timedelta(days=1)


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
def test_nobody_else_can_make_a_link(link: Callable[..., tuple[Invitation, str]], by: str) -> None:
    with pytest.raises(NotAllowedError):
        link(by)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("role", {"role": Role.OWNER}),
        ("max_uses", {"max_uses": 0}),
        ("max_uses", {"max_uses": 1001}),
        ("days", {"lifetime": timedelta(0)}),
        ("days", {"lifetime": timedelta(days=91)}),
    ],
)
def test_nonsense_names_the_field(
    link: Callable[..., tuple[Invitation, str]],
    field: str,
    wrong: dict[str, Role] | dict[str, int] | dict[str, timedelta],
) -> None:
    with pytest.raises(ActionError) as caught:
        link(**wrong)
    assert caught.value.field == field
