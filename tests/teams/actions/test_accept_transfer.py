"""Accepting an offer of ownership."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from teams.actions.members import change_role, leave_team
from teams.actions.transfers import accept_transfer, cancel_transfer, decline_transfer, transfer_by_staff
from teams.activity import Actor
from teams.errors import ConflictError, NotAllowedError
from teams.models import Membership, Role, User
from teams.models.transfers import Transfer
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity, role_of


def test_the_successor_becomes_owner_and_the_owner_administrator(
    cast: Cast, act: Callable[..., Actor], offered: Transfer
) -> None:
    accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    cast.team.refresh_from_db()
    offered.refresh_from_db()
    assert cast.team.owner == cast.administrator
    assert role_of(cast.team, cast.administrator) == Role.OWNER
    assert role_of(cast.team, cast.owner) == Role.ADMINISTRATOR
    assert offered.state(NOW) == "accepted"


def test_no_other_team_or_person_is_touched(cast: Cast, act: Callable[..., Actor], offered: Transfer) -> None:
    mine = [cast.owner.pk, cast.administrator.pk]
    others = Membership.objects.exclude(team=cast.team, user__in=mine).order_by("pk")
    before = list(others.values_list("pk", "team", "user", "role"))
    accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    assert list(others.values_list("pk", "team", "user", "role")) == before


@pytest.mark.parametrize("by", ["owner", "member", "former", "outsider"])
def test_only_the_successor_can_accept(
    cast: Cast, act: Callable[..., Actor], offered: Transfer, by: str
) -> None:
    with pytest.raises(NotAllowedError):
        accept_transfer(by=act(by), transfer=offered, now=NOW)
    assert role_of(cast.team, cast.owner) == Role.OWNER


def test_not_even_staff_can_accept_for_somebody(staff: Actor, offered: Transfer) -> None:
    with pytest.raises(NotAllowedError):
        accept_transfer(by=staff, transfer=offered, now=NOW)


def test_a_lapsed_offer_cannot_be_accepted(cast: Cast, act: Callable[..., Actor], offered: Transfer) -> None:
    with pytest.raises(ConflictError, match="expired after 7 days"):
        accept_transfer(by=act("administrator"), transfer=offered, now=offered.expires_at)
    assert role_of(cast.team, cast.owner) == Role.OWNER


def test_a_cancelled_offer_says_so(act: Callable[..., Actor], offered: Transfer) -> None:
    cancel_transfer(by=act("owner"), transfer=offered, now=NOW)
    with pytest.raises(ConflictError, match="cancelled"):
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)


def test_a_declined_offer_says_so(act: Callable[..., Actor], offered: Transfer) -> None:
    decline_transfer(by=act("administrator"), transfer=offered, now=NOW)
    with pytest.raises(ConflictError, match="declined"):
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)


def test_it_cannot_be_accepted_twice(act: Callable[..., Actor], offered: Transfer) -> None:
    accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    with pytest.raises(ConflictError, match="already been accepted"):
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)


def test_a_demotion_or_exit_before_the_answer_ends_the_offer(
    cast: Cast, act: Callable[..., Actor], offered: Transfer
) -> None:
    change_role(by=act("owner"), team=cast.team, user=cast.administrator, role=Role.MEMBER, now=NOW)
    change_role(by=act("owner"), team=cast.team, user=cast.administrator, role=Role.ADMINISTRATOR, now=NOW)
    with pytest.raises(ConflictError, match="cancelled"):
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    leave_team(by=act("administrator"), team=cast.team, now=NOW)
    with pytest.raises(ConflictError):
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)


def test_an_offer_of_an_owner_who_is_replaced_by_staff_is_void(
    cast: Cast, act: Callable[..., Actor], staff: Actor, offered: Transfer
) -> None:
    transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW)
    with pytest.raises(ConflictError):
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    assert role_of(cast.team, cast.member) == Role.OWNER


def test_a_deactivated_successor_gets_nothing(cast: Cast, act: Callable[..., Actor], offered: Transfer) -> None:
    User.objects.filter(pk=cast.administrator.pk).update(is_active=False)
    with pytest.raises(ConflictError, match="deactivated"):
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    assert role_of(cast.team, cast.owner) == Role.OWNER


def test_the_activity_names_both_owners(act: Callable[..., Actor], offered: Transfer) -> None:
    accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    row = newest_activity()
    assert row.kind == "transfer.accepted"
    assert row.before == {"owner": "olivia@example.org"}
    assert row.after == {"owner": "adam@example.org", "id": offered.public_id}


def test_the_former_owner_is_told_by_mail(
    has_mail: None,
    committed: Callable[..., Any],
    act: Callable[..., Actor],
    offered: Transfer,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        accept_transfer(by=act("administrator"), transfer=offered, now=NOW)
    assert mailoutbox[0].to == ["olivia@example.org"]
    assert "You are now an administrator of Harbour Research" in mailoutbox[0].body
