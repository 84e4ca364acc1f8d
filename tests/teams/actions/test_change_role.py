"""Changing a member's role."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from teams.actions.members import add_member, change_role, remove_member
from teams.activity import SITE, Actor
from teams.errors import ConflictError, NotAllowedError
from teams.models import Activity, Role
from teams.models.teams import Membership
from teams.models.transfers import Transfer
from tests.conftest import Cast
from tests.teams.conftest import ADDRESS, NOW, newest_activity, role_of


@pytest.fixture
def change(cast: Cast, act: Callable[..., Actor]) -> Callable[..., Membership]:
    def go(by: str, user: str, role: str) -> Membership:
        return change_role(by=act(by), team=cast.team, user=cast.user(user), role=role, now=NOW)

    return go


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_owner_and_administrator_can_promote_a_member(
    cast: Cast, change: Callable[..., Membership], by: str
) -> None:
    change(by, "member", Role.ADMINISTRATOR)
    assert role_of(cast.team, cast.member) == Role.ADMINISTRATOR


def test_the_owner_can_demote_an_administrator(cast: Cast, change: Callable[..., Membership]) -> None:
    change("owner", "administrator", Role.MEMBER)
    assert role_of(cast.team, cast.administrator) == Role.MEMBER


def test_an_administrator_cannot_demote_an_administrator(cast: Cast, change: Callable[..., Membership]) -> None:
    add_member(by=SITE, team=cast.team, user=cast.former, role=Role.ADMINISTRATOR)
    with pytest.raises(NotAllowedError, match="Only the owner"):
        change("administrator", "former", Role.MEMBER)


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
def test_nobody_else_can_change_a_role(cast: Cast, change: Callable[..., Membership], by: str) -> None:
    with pytest.raises(NotAllowedError):
        change(by, "member", Role.ADMINISTRATOR)
    assert role_of(cast.team, cast.member) == Role.MEMBER


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_nobody_becomes_or_stops_being_owner_this_way(
    cast: Cast, change: Callable[..., Membership], by: str
) -> None:
    with pytest.raises(NotAllowedError, match="transfer"):
        change(by, "member", Role.OWNER)
    with pytest.raises(NotAllowedError, match="transfer"):
        change(by, "owner", Role.MEMBER)


def test_a_made_up_role_is_refused(change: Callable[..., Membership]) -> None:
    with pytest.raises(NotAllowedError):
        change("owner", "member", "emperor")


def test_the_change_stands_in_the_activity_with_before_and_after(
    cast: Cast, act: Callable[..., Actor], change: Callable[..., Membership]
) -> None:
    change("administrator", "member", Role.ADMINISTRATOR)
    row = newest_activity()
    assert (row.kind, row.actor, row.person, row.team) == (
        "member.role_changed",
        cast.administrator,
        cast.member,
        cast.team,
    )
    assert (row.before, row.after, row.ip) == ({"role": "member"}, {"role": "administrator"}, ADDRESS)


def test_the_same_role_again_changes_and_writes_nothing(change: Callable[..., Membership]) -> None:
    before = Activity.objects.count()
    change("owner", "member", Role.MEMBER)
    assert Activity.objects.count() == before


def test_a_demotion_cancels_the_offer_of_the_team(offered: Transfer, change: Callable[..., Membership]) -> None:
    change("owner", "administrator", Role.MEMBER)
    offered.refresh_from_db()
    assert offered.state(NOW) == "cancelled"
    assert newest_activity().after["transfer_cancelled"] == offered.public_id


def test_a_person_who_was_removed_meanwhile_is_told_so(
    cast: Cast, act: Callable[..., Actor], change: Callable[..., Membership]
) -> None:
    remove_member(by=act("owner"), team=cast.team, user=cast.member, now=NOW)
    with pytest.raises(ConflictError, match="Mia is no longer in this team"):
        change("administrator", "member", Role.ADMINISTRATOR)


def test_the_person_gets_a_mail(
    has_mail: None,
    committed: Callable[..., Any],
    change: Callable[..., Membership],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        change("owner", "member", Role.ADMINISTRATOR)
    assert mailoutbox[0].to == ["mia@example.org"]
    assert "Olivia changed your role in Harbour Research" in mailoutbox[0].body


def test_staff_may_change_roles_from_the_admin_but_not_as_a_plain_user(cast: Cast, staff: Actor) -> None:
    from dataclasses import replace

    with pytest.raises(NotAllowedError):
        change_role(
            by=replace(staff, as_staff=False),
            team=cast.team,
            user=cast.member,
            role=Role.ADMINISTRATOR,
            now=NOW,
        )
    change_role(by=staff, team=cast.team, user=cast.member, role=Role.ADMINISTRATOR, now=NOW)
    assert newest_activity().actor == staff.user
