"""Many clients at once, on real transactions: nothing beyond a limit, nothing lost, nobody stuck."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.actions.members import add_member, remove_member
from teams.actions.teams import create_team
from teams.activity import SITE
from teams.credentials import RefusedKeyError
from teams.models import Mode, Team, User
from tests.conftest import Cast
from tests.usage.conftest import nanos
from usage.quotas.actions.granting import Wanted
from usage.quotas.actions.reservations import InsufficientQuotaError, reserve_quota, roll_back_reservation
from usage.quotas.availability import Subject, levels_of, payer_of
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, QuotaUse, Reservation, ReservedSum

pytestmark = [pytest.mark.threads, pytest.mark.django_db(transaction=True)]

REFUSED = "refused"


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """Starts all in the same moment, each on a connection of its own; what they returned, in order."""
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(run, one) for one in work]
        return [future.result(timeout=120) for future in futures]


def try_to_reserve(team: Team, user: User, usd: str, **wanted: Any) -> Any:
    """The reservation, or REFUSED."""
    try:
        return reserve_quota(
            team=Team.objects.get(pk=team.pk),
            mode=Mode.LIVE,
            user=user,
            token_id=None,
            wanted=Wanted(nanos(usd), **{"ttl": timedelta(minutes=10), **wanted}),
            now=timezone.now(),
        ).reservation
    except (InsufficientQuotaError, RefusedKeyError):
        return REFUSED


def owner_level(team: Team) -> Any:
    subject = Subject(team, payer_of(team), Mode.LIVE)
    return next(state for state in levels_of(subject, timezone.now()) if state.level == Level.OWNER)


def call_for(reservation: Any, usd: str, request_id: str) -> ReportedCall:
    return ReportedCall(
        request_id=request_id,
        started_at=timezone.now(),
        model="m",
        cost_nanos=nanos(usd),
        team=reservation.team.slug,
        member=reservation.member.email,
        reservation=reservation.pk,
    )


@pytest.mark.parametrize("level", [Level.MEMBER, Level.TEAM, Level.OWNER])
def test_64_clients_on_one_quota_get_exactly_what_it_covers(
    cast: Cast, limit: Callable[..., None], level_of: Callable[..., LevelState], level: Level
) -> None:
    limit(level, "0.50")

    def client() -> list[Any]:
        return [try_to_reserve(cast.team, cast.member, "0.01") for _ in range(2)]

    results = [result for results in at_once(*[client] * 64) for result in results]
    assert (len(results), len(results) - results.count(REFUSED)) == (128, 50)
    assert level_of(level, now=timezone.now()).reserved_nanos == nanos("0.50")


def test_reserving_settling_and_giving_back_in_two_teams_of_one_owner_keeps_every_sum(
    cast: Cast, limit: Callable[..., None]
) -> None:
    limit(Level.OWNER, "0.40")
    teams = [cast.team, create_team(by=SITE, owner=cast.owner, name="Second")]
    gateway = Caller(gateway_key=create_gateway_key(by=SITE, team=None, name="site")[0])

    def client(number: int) -> int:
        """Reserves and settles with no more than was reserved, or gives back; how much was settled."""
        settled = 0
        for turn in range(4):
            reservation = try_to_reserve(teams[number % 2], cast.owner, "0.03")
            if reservation == REFUSED:
                continue
            if (number + turn) % 3 == 0:
                roll_back_reservation(reservation=reservation, now=timezone.now())
                continue
            call = call_for(reservation, "0.03", f"{number}-{turn}")
            result = record_calls([call], by=gateway, now=timezone.now())
            assert (result.accepted, result.warnings) == (1, [])
            settled += call.cost_nanos
            state = owner_level(cast.team)
            assert state.used_nanos + state.reserved_nanos <= state.limit_nanos
        return settled

    settled = sum(at_once(*[lambda number=number: client(number) for number in range(16)]))
    state = owner_level(cast.team)
    assert state.used_nanos == settled == sum(Call.objects.values_list("cost_nanos", flat=True))
    assert 0 < settled <= nanos("0.40")
    assert state.reserved_nanos == 0
    assert all(row.reserved_nanos == 0 for row in ReservedSum.objects.all())
    assert not [r for r in Reservation.objects.all() if r.state(timezone.now()) == "open"]


def test_batches_over_teams_of_several_owners_do_not_wait_for_each_other_for_ever(cast: Cast) -> None:
    """Crosswise: the teams with the lowest and the highest id are of one owner each."""
    second = create_team(by=SITE, owner=cast.outsider, name="Second")
    third = create_team(by=SITE, owner=cast.owner, name="Third")
    pairs = [(cast.team, second), (cast.other_team, third)]
    gateway = Caller(gateway_key=create_gateway_key(by=SITE, team=None, name="site")[0])

    def client(number: int) -> int:
        accepted = 0
        for turn in range(10):
            calls = [
                ReportedCall(
                    request_id=f"{number}-{turn}",
                    started_at=timezone.now(),
                    model="m",
                    cost_nanos=1,
                    team=team.slug,
                    member=team.owner.email,
                )
                for team in pairs[number % 2]
            ]
            accepted += record_calls(calls, by=gateway, now=timezone.now()).accepted
        return accepted

    assert at_once(*[lambda number=number: client(number) for number in range(8)]) == [20] * 8
    used = QuotaUse.objects.filter(level=Level.OWNER).values_list("used_nanos", flat=True)
    assert sorted(used) == [80, 80]


def test_one_request_asked_16_times_at_once_reserves_once(
    cast: Cast, level_of: Callable[..., LevelState]
) -> None:
    def client() -> Any:
        return try_to_reserve(cast.team, cast.member, "1", request_id="r1").pk

    assert len(set(at_once(*[client] * 16))) == 1
    assert level_of(Level.TEAM, now=timezone.now()).reserved_nanos == nanos("1")


def test_one_reservation_settled_by_16_calls_at_once_is_given_back_once(
    cast: Cast, level_of: Callable[..., LevelState]
) -> None:
    reservation = try_to_reserve(cast.team, cast.member, "1")
    try_to_reserve(cast.team, cast.member, "2")
    gateway = Caller(gateway_key=create_gateway_key(by=SITE, team=None, name="site")[0])

    def client(number: int) -> int:
        call = call_for(reservation, "0.10", str(number))
        return len(record_calls([call], by=gateway, now=timezone.now()).warnings)

    assert sum(at_once(*[lambda number=number: client(number) for number in range(16)])) == 15
    state = level_of(Level.TEAM, now=timezone.now())
    assert (state.used_nanos, state.reserved_nanos) == (nanos("1.60"), nanos("2"))


def test_whoever_is_removed_keeps_no_reservation_whichever_comes_first(cast: Cast) -> None:
    for _turn in range(5):
        user = cast.former
        add_member(by=SITE, team=cast.team, user=user)
        at_once(
            *[lambda: try_to_reserve(cast.team, cast.former, "0.01")] * 6,
            lambda: remove_member(by=SITE, team=cast.team, user=cast.former, now=timezone.now()),
        )
    states = {reservation.state(timezone.now()) for reservation in Reservation.objects.all()}
    assert states <= {"rolled_back"}
