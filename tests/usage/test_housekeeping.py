"""Old reservations, sums and refusals go; what still matters of them stays."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from tests.usage.conftest import NOW, nanos
from usage import housekeeping
from usage.housekeeping import KEEP_REFUSALS, KEEP_RESERVATIONS, KEEP_SUMS, run_housekeeping
from usage.quotas.actions.granting import Granted
from usage.quotas.actions.reservations import InsufficientQuotaError
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, QuotaUse, Refusal, Reservation, ReservedSum

TTL = timedelta(minutes=10)
MOMENT = timedelta(seconds=1)


def test_a_reservation_goes_when_nobody_will_settle_it_any_more(reserve: Callable[..., Granted]) -> None:
    reserve("0.50")
    lapses = NOW + TTL
    assert run_housekeeping(now=lapses + KEEP_RESERVATIONS)["reservations deleted"] == 0
    assert run_housekeeping(now=lapses + KEEP_RESERVATIONS + MOMENT)["reservations deleted"] == 1
    assert not Reservation.objects.exists()


def test_until_then_a_late_call_settles_it_once(
    reserve: Callable[..., Granted], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    first = reserve("0.50", token=token, request_id="r1").reservation
    late = NOW + KEEP_RESERVATIONS
    run_housekeeping(now=late)
    for number, problems in ((1, 0), (2, 1)):
        call = ReportedCall(request_id=str(number), started_at=NOW, model="m", reservation=first.pk)
        assert len(record_calls([call], by=Caller(token=token), now=late).warnings) == problems


def test_after_that_a_call_that_names_it_is_charged_once_with_a_warning(
    reserve: Callable[..., Granted],
    token_of: Callable[..., tuple[Token, str]],
    level_of: Callable[..., LevelState],
) -> None:
    token, _secret = token_of("member")
    gone = reserve("0.50", token=token).reservation
    late = NOW + KEEP_RESERVATIONS + TTL + MOMENT
    run_housekeeping(now=late)
    call = ReportedCall(
        request_id="a", started_at=late, model="m", cost_nanos=nanos("0.20"), reservation=gone.pk
    )
    (warning,) = record_calls([call], by=Caller(token=token), now=late).warnings
    assert "has no such reservation" in str(warning.error)
    state = level_of(Level.TEAM, now=late)
    assert (state.used_nanos, state.reserved_nanos) == (nanos("0.20"), 0)


def test_sums_of_slots_that_have_passed_go_and_those_to_come_stay(
    reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    reserve("0.50")
    later = NOW + TTL + KEEP_SUMS + timedelta(seconds=5)
    reserve("0.25", now=later)
    assert run_housekeeping(now=later)["reserved sums deleted"] == 3  # member, team, owner
    assert level_of(Level.TEAM, now=later).reserved_nanos == nanos("0.25")
    assert ReservedSum.objects.count() == 3


def test_refusals_can_be_compared_with_those_of_a_year_ago(
    reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "0")
    with pytest.raises(InsufficientQuotaError):
        reserve("1")
    assert run_housekeeping(now=NOW + timedelta(days=396))["refusals deleted"] == 0
    assert run_housekeeping(now=NOW + KEEP_REFUSALS + timedelta(hours=1))["refusals deleted"] == 1
    assert not Refusal.objects.exists()


def test_what_was_used_is_kept_for_good(token_of: Callable[..., tuple[Token, str]]) -> None:
    call = ReportedCall(request_id="a", started_at=NOW, model="m", cost_nanos=int(Decimal(5)))
    record_calls([call], by=Caller(token=token_of("member")[0]), now=NOW)
    run_housekeeping(now=NOW + timedelta(days=4000))
    assert QuotaUse.objects.count() == 4


def test_many_are_deleted_in_small_steps(
    reserve: Callable[..., Granted],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(housekeeping, "_STEP", 2)
    for _n in range(5):
        reserve("0.01")
    reserve("0.01", now=NOW + timedelta(days=40))
    # A look and a deletion a step, and a last look; and one look at each of what nothing is old of.
    with django_assert_num_queries(3 * 2 + 1 + 2 * 2 + 1 + 8):
        done = run_housekeeping(now=NOW + timedelta(days=40))
    assert {what: n for what, n in done.items() if n} == {"reservations deleted": 5, "reserved sums deleted": 3}
    assert Reservation.objects.count() == 1


def test_a_second_run_finds_nothing(reserve: Callable[..., Granted]) -> None:
    reserve("0.50")
    late = NOW + timedelta(days=40)
    run_housekeeping(now=late)
    assert set(run_housekeeping(now=late).values()) == {0}
