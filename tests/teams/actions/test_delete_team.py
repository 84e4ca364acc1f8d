"""Deleting, restoring and purging a team."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from teams.actions.gateway_keys import create_gateway_key
from teams.actions.invitations import create_link
from teams.actions.teams import delete_team, purge_teams, restore_team
from teams.actions.users import deactivate_user
from teams.activity import Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Activity, Invitation, Team, User
from teams.models.keys import Token
from teams.models.transfers import Transfer
from teams.signals import team_purged
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity

DAY = timedelta(days=1)


@pytest.fixture
def delete(cast: Cast, act: Callable[..., Actor]) -> Callable[..., None]:
    def go(by: str = "owner", typed_name: str = "Harbour Research", team: Any = cast.team) -> None:
        delete_team(by=act(by), team=team, typed_name=typed_name, now=NOW)

    return go


def test_its_keys_stop_at_once(
    cast: Cast,
    act: Callable[..., Actor],
    token_of: Callable[..., tuple[Token, str]],
    delete: Callable[..., None],
) -> None:
    _, secret = token_of("member")
    _, gateway_secret = create_gateway_key(by=act("owner"), team=cast.team, name="LiteLLM")
    delete()
    for dead in (secret, gateway_secret):
        with pytest.raises(RefusedKeyError, match="deleted"):
            find_credential(dead, NOW)


def test_invitations_are_revoked_and_the_open_transfer_is_cancelled(
    cast: Cast, act: Callable[..., Actor], offered: Transfer, delete: Callable[..., None]
) -> None:
    create_link(by=act("owner"), team=cast.team, role="member", now=NOW)
    delete()
    offered.refresh_from_db()
    assert offered.state(NOW) == "cancelled"
    assert Invitation.objects.get().state(NOW) == "revoked"
    row = newest_activity()
    assert (row.kind, row.after) == (
        "team.deleted",
        {"invitations_revoked": 1, "transfer_cancelled": offered.public_id},
    )


@pytest.mark.parametrize("by", ["administrator", "member", "former", "outsider"])
def test_only_the_owner_can_delete_it(cast: Cast, delete: Callable[..., None], by: str) -> None:
    with pytest.raises(NotAllowedError):
        delete(by)
    assert Team.objects.get(pk=cast.team.pk).deleted_at is None


@pytest.mark.parametrize("typed", ["", "HARBOUR RESEARCH", "Harbour"])
def test_the_name_must_be_typed_exactly(delete: Callable[..., None], typed: str) -> None:
    with pytest.raises(ActionError) as caught:
        delete(typed_name=typed)
    assert caught.value.field == "typed_name"


def test_a_personal_space_cannot_be_deleted(cast: Cast, delete: Callable[..., None]) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    with pytest.raises(NotAllowedError, match="personal space"):
        delete(team=space, typed_name=space.name)


def test_a_second_deletion_says_that_it_is_gone(delete: Callable[..., None]) -> None:
    delete()
    with pytest.raises(ConflictError, match="deleted"):
        delete()


def test_staff_can_restore_it_within_thirty_days_and_its_keys_work_again(
    cast: Cast, staff: Actor, token_of: Callable[..., tuple[Token, str]], delete: Callable[..., None]
) -> None:
    _, secret = token_of("member")
    delete()
    restore_team(by=staff, team=cast.team, now=NOW + 30 * DAY - timedelta(seconds=1))
    assert find_credential(secret, NOW).team == cast.team
    assert newest_activity().kind == "team.restored"


def test_after_thirty_days_it_cannot_be_restored(cast: Cast, staff: Actor, delete: Callable[..., None]) -> None:
    delete()
    with pytest.raises(ConflictError, match="more than 30 days"):
        restore_team(by=staff, team=cast.team, now=NOW + 30 * DAY)


def test_nobody_but_staff_can_restore_it(
    cast: Cast, act: Callable[..., Actor], delete: Callable[..., None]
) -> None:
    delete()
    with pytest.raises(NotAllowedError):
        restore_team(by=act("owner"), team=cast.team, now=NOW)


def test_a_team_that_is_not_deleted_is_left_alone(cast: Cast, staff: Actor) -> None:
    with pytest.raises(ConflictError, match="not deleted"):
        restore_team(by=staff, team=cast.team, now=NOW)


def test_it_does_not_come_back_to_a_deactivated_owner(
    cast: Cast, staff: Actor, delete: Callable[..., None]
) -> None:
    delete()
    deactivate_user(by=staff, user=User.objects.get(pk=cast.owner.pk), now=NOW)
    with pytest.raises(ActionError, match="Reactivate them first"):
        restore_team(by=staff, team=cast.team, now=NOW)


def test_housekeeping_purges_it_after_thirty_days_with_its_records(
    cast: Cast, token_of: Callable[..., tuple[Token, str]], delete: Callable[..., None]
) -> None:
    heard = []

    def receive(sender: Any, team_id: Any, **kwargs: Any) -> None:
        heard.append(team_id)

    team_purged.connect(receive)
    token_of("member")
    delete()
    assert purge_teams(now=NOW + 30 * DAY - timedelta(seconds=1)) == 0
    assert purge_teams(now=NOW + 30 * DAY) == 1
    team_purged.disconnect(receive)
    assert heard == [cast.team.pk]
    assert not Team.objects.filter(pk=cast.team.pk).exists()
    assert Team.objects.filter(pk=cast.other_team.pk).exists()
    row = Activity.objects.get(kind="team.purged")
    assert (row.team, row.subject, row.before["slug"]) == (None, "Harbour Research", "harbour-research")
