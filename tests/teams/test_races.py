"""Two people acting at the same time: real threads and locks, in each order."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from teams.actions.acceptance import accept_invitation
from teams.actions.invitations import create_link, revoke_invitation
from teams.actions.locks import lock_team
from teams.actions.members import leave_team, remove_member
from teams.actions.tokens import revoke_token
from teams.actions.transfers import accept_transfer, cancel_transfer, offer_transfer, transfer_by_staff
from teams.actions.users import deactivate_user
from teams.activity import Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ActionError
from teams.models import Invitation, Membership, Role, Team, Token, User
from teams.models.transfers import Transfer
from tests.conftest import Cast
from tests.teams.conftest import NOW, role_of

pytestmark = [
    pytest.mark.threads,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs row locks"),
]
BOTH_ORDERS = pytest.mark.parametrize("first", [0, 1])


def race(team: Team, *actions: Callable[[], Any], first: int = 0) -> list[Any]:
    """Lets the actions wait for the team's lock, that at `first` foremost, and then go; what each returned
    or was refused with, in the order given."""
    results: list[Any] = [None] * len(actions)

    def run(place: int) -> None:
        try:
            results[place] = actions[place]()
        except ActionError as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(actions))]
    with transaction.atomic():
        lock_team(team)
        order = [first, *(place for place in range(len(actions)) if place != first)]
        for waiting, place in enumerate(order, start=1):
            threads[place].start()
            _wait_until_locked_out(waiting)
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive(), "two actions wait for each other"
    return results


def _wait_until_locked_out(count: int) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees one state for ever
            cursor.execute(waiting)
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.01)
    raise AssertionError("the action does not lock the team first")


def refused(results: list[Any]) -> list[bool]:
    return [isinstance(result, ActionError) for result in results]


def assert_one_owner(team: Team) -> None:
    owners = Membership.objects.filter(team=team, role=Role.OWNER).values_list("user", flat=True)
    assert list(owners) == [Team.objects.get(pk=team.pk).owner_id]


@pytest.fixture
def link(cast: Cast, act: Callable[..., Actor]) -> tuple[Invitation, str]:
    """A one-use link: the invitation and its secret."""
    invitation, address = create_link(by=act("owner"), team=cast.team, role=Role.MEMBER, now=NOW)
    return invitation, address.rstrip("/").rpartition("/")[2]


@BOTH_ORDERS
def test_a_one_use_link_admits_one_of_two(
    cast: Cast, act: Callable[..., Actor], link: tuple[Invitation, str], first: Any
) -> None:
    names = ["former", "outsider"]
    results = race(
        cast.team,
        *[lambda name=name: accept_invitation(by=act(name), secret=link[1], now=NOW) for name in names],
        first=first,
    )
    assert refused(results) == [first != 0, first != 1]
    assert "maximum number of uses" in str(results[1 - first])
    assert Membership.objects.filter(team=cast.team).count() == 4
    assert Invitation.objects.get().uses == 1


@BOTH_ORDERS
def test_either_the_acceptance_or_the_revocation_counts(
    cast: Cast, act: Callable[..., Actor], link: tuple[Invitation, str], first: Any
) -> None:
    invitation, secret = link
    results = race(
        cast.team,
        lambda: accept_invitation(by=act("outsider"), secret=secret, now=NOW),
        lambda: revoke_invitation(by=act("owner"), invitation=invitation, now=NOW),
        first=first,
    )
    assert refused(results) == [first != 0, first != 1]
    accepted = role_of(cast.team, cast.outsider) is not None
    assert accepted == (first == 0)
    assert Invitation.objects.get().state(NOW) == ("accepted" if accepted else "revoked")


@BOTH_ORDERS
def test_a_successor_who_is_being_removed_is_owner_or_gone(
    cast: Cast, act: Callable[..., Actor], offered: Transfer, first: Any
) -> None:
    results = race(
        cast.team,
        lambda: accept_transfer(by=act("administrator"), transfer=offered, now=NOW),
        lambda: remove_member(by=act("owner"), team=cast.team, user=cast.administrator, now=NOW),
        first=first,
    )
    assert refused(results) == [first != 0, first != 1]
    assert role_of(cast.team, cast.administrator) == (Role.OWNER if first == 0 else None)
    assert_one_owner(cast.team)


@BOTH_ORDERS
def test_the_last_administrator_cannot_leave_and_take_over_at_once(
    cast: Cast, act: Callable[..., Actor], offered: Transfer, first: Any
) -> None:
    results = race(
        cast.team,
        lambda: leave_team(by=act("administrator"), team=cast.team, now=NOW),
        lambda: accept_transfer(by=act("administrator"), transfer=offered, now=NOW),
        first=first,
    )
    assert refused(results) == [first != 0, first != 1]
    assert role_of(cast.team, cast.administrator) == (None if first == 0 else Role.OWNER)
    assert_one_owner(cast.team)


@BOTH_ORDERS
def test_of_two_offers_one_stands(cast: Cast, act: Callable[..., Actor], first: Any) -> None:
    Membership.objects.filter(team=cast.team, user=cast.member).update(role=Role.ADMINISTRATOR)
    results = race(
        cast.team,
        *[
            lambda name=name: offer_transfer(
                by=act("owner"),
                team=cast.team,
                successor=cast.user(name),
                typed_name=cast.team.name,
                now=NOW,
            )
            for name in ("administrator", "member")
        ],
        first=first,
    )
    assert refused(results) == [first != 0, first != 1]
    assert "already been offered" in str(results[1 - first])


@BOTH_ORDERS
def test_of_two_transfers_the_later_one_wins_or_is_void(
    cast: Cast, act: Callable[..., Actor], staff: Actor, offered: Transfer, first: Any
) -> None:
    results = race(
        cast.team,
        lambda: accept_transfer(by=act("administrator"), transfer=offered, now=NOW),
        lambda: transfer_by_staff(by=staff, team=cast.team, successor=cast.member, now=NOW),
        first=first,
    )
    assert refused(results) == [first == 1, False]  # staff may always; an acceptance only of an open offer
    assert role_of(cast.team, cast.member) == Role.OWNER
    assert_one_owner(cast.team)


@BOTH_ORDERS
def test_an_offer_is_accepted_or_cancelled(
    cast: Cast, act: Callable[..., Actor], offered: Transfer, first: Any
) -> None:
    results = race(
        cast.team,
        lambda: accept_transfer(by=act("administrator"), transfer=offered, now=NOW),
        lambda: cancel_transfer(by=act("owner"), transfer=offered, now=NOW),
        first=first,
    )
    assert refused(results) == [first != 0, first != 1]
    assert_one_owner(cast.team)


@BOTH_ORDERS
def test_a_successor_who_is_being_deactivated_owns_nothing_or_stays(
    cast: Cast, act: Callable[..., Actor], staff: Actor, offered: Transfer, first: Any
) -> None:
    results = race(
        cast.team,
        lambda: accept_transfer(by=act("administrator"), transfer=offered, now=NOW),
        lambda: deactivate_user(by=staff, user=cast.administrator, now=NOW),
        first=first,
    )
    assert refused(results) == [first != 0, first != 1]
    owner = Team.objects.get(pk=cast.team.pk).owner
    assert owner.is_active
    assert User.objects.get(pk=cast.administrator.pk).is_active == (owner == cast.administrator)


def test_a_token_in_use_stops_the_moment_its_revocation_returns(
    cast: Cast, act: Callable[..., Actor], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, secret = token_of("member")
    revoked = threading.Event()
    late: list[Any] = []

    def use() -> None:
        for _ in range(500):
            was_revoked = revoked.is_set()
            try:
                found = find_credential(secret, NOW)
            except RefusedKeyError:
                break
            if was_revoked:
                late.append(found)
        connection.close()

    users = [threading.Thread(target=use) for _ in range(4)]
    for thread in users:
        thread.start()
    revoke_token(by=act("owner"), token=token, now=NOW)
    revoked.set()
    for thread in users:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert late == []
    with pytest.raises(RefusedKeyError):
        find_credential(secret, NOW)
