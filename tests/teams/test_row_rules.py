"""Rules about rows: the method of a QuerySet and the property of one row say the same."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from teams.actions.members import leave_team
from teams.actions.tokens import create_token
from teams.actions.users import create_user
from teams.activity import Actor
from teams.credentials import refusal_of, tokens_with_role
from teams.models import Invitation, Team, Token, Transfer, User
from tests.conftest import Cast
from tests.teams.conftest import NOW

HOUR = timedelta(hours=1)
ENDS = {"invitation": ("accepted", "declined", "revoked"), "transfer": ("accepted", "declined", "cancelled")}


def rows_in_every_state(make: Any, ends: Any, now: datetime) -> None:
    """Makes a row for each way to end (and none), expiring before, at and after `now`."""
    for end in (None, *ends):
        for expires_at in (now - HOUR, now, now + HOUR):
            make(**({f"{end}_at": now - 2 * HOUR} if end else {}), expires_at=expires_at)


def states(rows: Any, now: datetime) -> dict[Any, Any]:
    return {row.pk: row.state(now) for row in rows}


@pytest.fixture
def invitations(cast: Cast) -> Any:
    team = cast.team

    def make(**fields: Any) -> Invitation:
        number = Invitation.objects.count()
        return Invitation.objects.create(
            team=team, email=f"a{number}@example.org", digest=str(number), invited_by=team.owner, **fields
        )

    rows_in_every_state(make, ENDS["invitation"], NOW)
    return Invitation.objects.all()


@pytest.mark.parametrize("state", ["pending", "expired", "accepted", "declined", "revoked"])
def test_invitations_in_a_state_are_those_whose_state_it_is(invitations: Any, state: str) -> None:
    expected = {pk for pk, found in states(invitations, NOW).items() if found == state}
    assert expected
    assert set(Invitation.objects.in_state(state, NOW).values_list("pk", flat=True)) == expected


def test_pending_invitations_are_those_that_can_be_accepted(invitations: Any) -> None:
    expected = {pk for pk, state in states(invitations, NOW).items() if state == "pending"}
    assert set(Invitation.objects.pending(NOW).values_list("pk", flat=True)) == expected


def test_transfers_are_open_or_lapsed_as_their_state_says(db: None) -> None:
    def make(**fields: Any) -> Transfer:
        # One team each: a team has one unanswered offer at most.
        number = Team.objects.count()
        owner = create_user(email=f"owner{number}@example.org")
        team = Team.objects.create(name="T", slug=f"offered-{number}", owner=owner)
        return Transfer.objects.create(team=team, offered_by=owner, successor=owner, **fields)

    rows_in_every_state(make, ENDS["transfer"], NOW)
    found = states(Transfer.objects.all(), NOW)
    is_open = {pk for pk, state in found.items() if state == "open"}
    assert is_open
    assert set(Transfer.objects.open(NOW).values_list("pk", flat=True)) == is_open
    lapsed = set(Transfer.objects.lapsed(NOW).values_list("pk", flat=True))
    assert lapsed
    assert {found[pk] for pk in lapsed} == {"lapsed"}


@pytest.fixture
def tokens(cast: Cast) -> Any:
    team, member = cast.team, cast.member

    for revoked in (None, NOW - HOUR):
        for disabled in (None, NOW - HOUR):
            for expires in (None, NOW - HOUR, NOW, NOW + HOUR):
                token, _secret = create_token(by=Actor(member), team=team, user=member, name="a token")
                ends: dict[str, Any] = {"revoked_at": revoked, "disabled_at": disabled, "expires_at": expires}
                Token.objects.filter(pk=token.pk).update(**ends)
    return Token.objects.filter(team=team)


@pytest.mark.parametrize("state", ["active", "disabled", "expired", "revoked"])
def test_tokens_in_a_state_are_those_whose_state_it_is(tokens: Any, state: str) -> None:
    expected = {token.pk for token in tokens if token.state(NOW) == state}
    assert expected
    assert set(tokens.in_state(state, NOW).values_list("pk", flat=True)) == expected


def working_by_the_api() -> set[Any]:
    return {token.pk for token in tokens_with_role() if refusal_of(token, NOW) is None}


def test_working_tokens_are_those_that_the_api_accepts(tokens: Any) -> None:
    working = set(Token.objects.working(NOW).values_list("pk", flat=True))
    assert working
    assert working == working_by_the_api()


def test_no_token_of_a_former_member_works(tokens: Any, cast: Cast) -> None:
    leave_team(by=Actor(cast.member), team=cast.team, now=NOW)
    Token.objects.update(revoked_at=None)
    assert not Token.objects.working(NOW).exists()
    assert not working_by_the_api()


def test_no_token_of_a_deactivated_user_works(tokens: Any, cast: Cast) -> None:
    User.objects.filter(pk=cast.member.pk).update(is_active=False)
    assert not Token.objects.working(NOW).exists()
    assert not working_by_the_api()


def test_no_token_of_a_deleted_team_works(tokens: Any, cast: Cast) -> None:
    Team.objects.filter(pk=cast.team.pk).update(deleted_at=NOW)
    assert not Token.objects.working(NOW).exists()
    assert not working_by_the_api()
    assert cast.team not in Team.objects.alive()
