"""Offering a team to a successor."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from teams.actions.members import change_role
from teams.actions.transfers import offer_transfer
from teams.activity import Actor
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Role, Team, Transfer, User
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity, role_of


@pytest.fixture
def offer(cast: Cast, act: Callable[..., Actor]) -> Callable[..., Transfer]:
    def go(
        by: str = "owner",
        successor: str = "administrator",
        typed_name: str = "Harbour Research",
        now: datetime = NOW,
        team: Any = cast.team,
    ) -> Transfer:
        return offer_transfer(
            by=act(by), team=team, successor=cast.user(successor), typed_name=typed_name, now=now
        )

    return go


def test_the_owner_can_offer_the_team_to_an_administrator_for_seven_days(
    cast: Cast, offer: Callable[..., Transfer]
) -> None:
    transfer = offer()
    assert (transfer.state(NOW), transfer.expires_at) == ("open", NOW + timedelta(days=7))
    assert (newest_activity().kind, newest_activity().person) == ("transfer.offered", cast.administrator)


def test_an_offer_alone_changes_no_role(cast: Cast, offered: Transfer) -> None:
    assert role_of(cast.team, cast.owner) == Role.OWNER
    assert role_of(cast.team, cast.administrator) == Role.ADMINISTRATOR


@pytest.mark.parametrize("by", ["administrator", "member", "former", "outsider"])
def test_nobody_but_the_owner_can_offer_it(offer: Callable[..., Transfer], by: str) -> None:
    with pytest.raises(NotAllowedError):
        offer(by)
    assert not Transfer.objects.exists()


def test_a_member_must_be_promoted_first(
    cast: Cast, act: Callable[..., Actor], offer: Callable[..., Transfer]
) -> None:
    with pytest.raises(ActionError, match="administrator first") as caught:
        offer(successor="member")
    assert caught.value.field == "successor"
    change_role(by=act("owner"), team=cast.team, user=cast.member, role=Role.ADMINISTRATOR, now=NOW)
    assert offer(successor="member").successor == cast.member


@pytest.mark.parametrize("successor", ["former", "outsider", "owner"])
def test_it_goes_to_nobody_else(offer: Callable[..., Transfer], successor: str) -> None:
    with pytest.raises(ActionError):
        offer(successor=successor)


def test_a_deactivated_administrator_is_refused(cast: Cast, offer: Callable[..., Transfer]) -> None:
    User.objects.filter(pk=cast.administrator.pk).update(is_active=False)
    with pytest.raises(ActionError, match="deactivated"):
        offer()


@pytest.mark.parametrize("typed", ["", "harbour research", "Harbour"])
def test_the_name_must_be_typed_exactly(offer: Callable[..., Transfer], typed: str) -> None:
    with pytest.raises(ActionError, match="Harbour Research") as caught:
        offer(typed_name=typed)
    assert caught.value.field == "typed_name"


def test_a_second_offer_must_wait_for_the_first_to_end(
    offer: Callable[..., Transfer], offered: Transfer
) -> None:
    with pytest.raises(ConflictError, match="already been offered to Adam"):
        offer()


def test_a_lapsed_offer_is_in_nobodys_way(offer: Callable[..., Transfer], offered: Transfer) -> None:
    later = offered.expires_at
    assert offer(now=later).state(later) == "open"
    offered.refresh_from_db()
    assert offered.state(later) == "lapsed"


def test_a_personal_space_cannot_be_passed_on(cast: Cast, act: Callable[..., Actor]) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    with pytest.raises(NotAllowedError, match="personal space"):
        offer_transfer(
            by=act("owner"), team=space, successor=cast.administrator, typed_name=space.name, now=NOW
        )


def test_the_successor_gets_a_mail_with_the_way_to_answer(
    has_mail: None,
    committed: Callable[..., Any],
    offer: Callable[..., Transfer],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        offer()
    (mail,) = mailoutbox
    assert mail.to == ["adam@example.org"]
    assert "/t/harbour-research/settings/" in mail.body
    assert "/t/harbour-research/settings/" in str(mail.alternatives[0][0])
    assert "balance" in mail.body
