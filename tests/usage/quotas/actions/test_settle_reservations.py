"""Settling: a call that names its reservation replaces the reserved amount by what it cost, exactly once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import LATER, NOW, nanos
from usage.quotas.actions.granting import Granted
from usage.quotas.actions.reservations import roll_back_reservation
from usage.quotas.levels import LevelState
from usage.quotas.models import Level


def call(request_id: str, reservation: Any = None, usd: str = "0.30", **fields: Any) -> ReportedCall:
    return ReportedCall(
        **{
            "request_id": request_id,
            "started_at": NOW,
            "model": "gpt-4o-mini",
            "cost_nanos": nanos(usd),
            "reservation": reservation.pk if reservation else "",
            "member": "mia@example.org",
            **fields,
        }
    )


@pytest.fixture
def gateway(cast: Cast) -> Caller:
    key, _secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
    return Caller(gateway_key=key)


def amounts(state: Any) -> tuple[int, int]:
    return state.used_nanos, state.reserved_nanos


@pytest.mark.parametrize("usd", ["0.30", "1", "7"])
def test_the_real_cost_replaces_the_reserved_amount_at_every_level(
    gateway: Caller, reserve: Callable[..., Granted], level_of: Callable[..., LevelState], usd: str
) -> None:
    reservation = reserve("1").reservation
    assert record_calls([call("a", reservation, usd)], by=gateway, now=NOW).warnings == []
    for level in (Level.MEMBER, Level.TEAM, Level.OWNER):
        assert amounts(level_of(level)) == (nanos(usd), 0)
    reservation.refresh_from_db()
    assert (reservation.state(NOW), reservation.settled_nanos) == ("settled", nanos(usd))


def test_a_failed_call_settles_with_nothing(
    gateway: Caller, reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    reservation = reserve("1").reservation
    record_calls([call("a", reservation, cost_nanos=None, status=500)], by=gateway, now=NOW)
    assert amounts(level_of(Level.TEAM)) == (0, 0)


@pytest.mark.parametrize("ended", ["lapsed", "rolled back"])
def test_it_is_settled_also_after_it_lapsed_or_was_rolled_back(
    gateway: Caller, reserve: Callable[..., Granted], level_of: Callable[..., LevelState], ended: str
) -> None:
    reservation = reserve("1").reservation
    if ended == "rolled back":
        roll_back_reservation(reservation=reservation, now=NOW)
    result = record_calls([call("a", reservation)], by=gateway, now=LATER)
    assert (result.accepted, result.warnings) == (1, [])
    assert amounts(level_of(Level.TEAM, now=LATER)) == (nanos("0.30"), 0)


def test_a_call_reported_again_settles_nothing_again(
    gateway: Caller, reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    first, second = reserve("1").reservation, reserve("2").reservation
    record_calls([call("a", first)], by=gateway, now=NOW)
    again = record_calls([call("a", first), call("a", second)], by=gateway, now=NOW)
    assert (again.accepted, again.duplicates, again.warnings) == (0, 2, [])
    assert amounts(level_of(Level.TEAM)) == (nanos("0.30"), nanos("2"))


def test_a_second_call_on_a_settled_reservation_is_charged_and_its_sender_warned(
    gateway: Caller, reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    reservation = reserve("1").reservation
    reserve("2")
    result = record_calls([call("a", reservation), call("b", reservation)], by=gateway, now=NOW)
    assert result.accepted == 2
    assert [(w.position, w.request_id, w.error.param) for w in result.warnings] == [(1, "b", "reservation")]
    assert amounts(level_of(Level.TEAM)) == (nanos("0.60"), nanos("2"))


def test_reservations_of_other_teams_members_and_modes_stay_and_the_call_is_charged(
    cast: Cast,
    gateway: Caller,
    reserve: Callable[..., Granted],
    level_of: Callable[..., LevelState],
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token, _secret = token_of("member", mode=Mode.TEST)
    foreign = [
        reserve("1", team=cast.other_team, user=cast.outsider).reservation,
        reserve("1", user=cast.administrator).reservation,
        reserve("1", token=token).reservation,
    ]
    calls = [call(str(number), reservation) for number, reservation in enumerate(foreign)]
    calls.append(replace(call("made up"), reservation="res_nothing"))
    result = record_calls(calls, by=gateway, now=NOW)
    assert (result.accepted, len(result.warnings)) == (4, 4)
    assert {warning.error.code for warning in result.warnings} == {"not_found"}
    for reservation in foreign:
        reservation.refresh_from_db()
        assert reservation.state(NOW) == "open"
    assert amounts(level_of(Level.TEAM)) == (nanos("1.20"), nanos("1"))
    other = level_of(Level.TEAM, team=cast.other_team, user=cast.outsider)
    assert amounts(other) == (0, nanos("1"))


def test_a_reservation_made_without_a_token_is_settled_by_a_call_with_one(
    gateway: Caller,
    reserve: Callable[..., Granted],
    level_of: Callable[..., LevelState],
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token, _secret = token_of("member")
    reservation = reserve("1").reservation
    result = record_calls([call("a", reservation, token=token.public_id, member="")], by=gateway, now=NOW)
    assert result.warnings == []
    assert amounts(level_of(Level.MEMBER)) == (nanos("0.30"), 0)


def test_settled_sums_are_the_costs_of_the_calls(
    gateway: Caller, reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    reservations = [reserve("0.05").reservation for _ in range(20)]
    calls = [call(str(n), reservations[n], f"0.0{n % 10}") for n in range(20)]
    record_calls(calls, by=gateway, now=NOW + timedelta(seconds=1))
    assert level_of(Level.TEAM).used_nanos == sum(Call.objects.values_list("cost_nanos", flat=True))
    assert level_of(Level.TEAM).reserved_nanos == 0


def test_a_call_without_reservation_is_charged_also_past_the_limit(
    gateway: Caller, limit: Callable[..., None], level_of: Callable[..., LevelState]
) -> None:
    limit(Level.TEAM, "0.10")
    record_calls([call("a")], by=gateway, now=NOW)
    state = level_of(Level.TEAM)
    assert (state.used_nanos, state.available_nanos, round(state.used_share, 3)) == (nanos("0.30"), 0, 3.0)
