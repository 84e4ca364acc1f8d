"""Amending stored calls: statistics, quota use, tags and what pages remember follow, as `verify_usage` proves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from logs.formats.reported import ReportedCall
from logs.models import Call, CallRoute, CallTag
from logs.recording.amend import Amendment, amend_calls
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.locks import lock_teams
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.conftest import NOW
from usage.prices.models import PricedBy
from usage.quotas.models import QuotaUse
from usage.rollups.cache import past_stamps
from usage.rollups.models import ROLLUPS, DayModel, HourModel, Outcome

TABLES: list[type[Model]] = [Call, CallTag, QuotaUse, *ROLLUPS]


pytestmark = pytest.mark.django_db


def amend(team: Team, *amendments: tuple[Call, dict[str, Any] | None]) -> None:
    lock_teams([team.pk])
    amend_calls(team=team, mode=Mode.LIVE, amendments=[Amendment(*one) for one in amendments], now=NOW)


def test_tokens_and_cost_that_become_known_later_are_counted_and_charged(cast: Cast, record: Any) -> None:
    call = record("member", "a", input_tokens=0, output_tokens=0)
    record("member", "b")
    amend(cast.team, (call, {"input_tokens": 10, "output_tokens": 3, "cost_nanos": 7, "latency_ms": 90}))
    assert Call.objects.get(request_id="a").input_tokens == 10
    assert set(QuotaUse.objects.values_list("calls", "used_nanos")) == {(2, 450_007)}
    for rollup in ROLLUPS:
        row = rollup._default_manager.get()
        assert (row.calls, row.input_tokens, row.cost_nanos) == (2, 1010, 450_007)
        assert row.latency_sum_ms == 890
    call_command("verify_usage")


def test_a_call_that_is_none_leaves_nothing_behind(cast: Cast, record: Any) -> None:
    call = record("member", "a", tags=["x"])
    amend(cast.team, (call, None))
    for table in TABLES:
        assert not table._default_manager.exists(), table
    call_command("verify_usage")


def test_of_several_calls_of_an_hour_the_others_stay(cast: Cast, record: Any) -> None:
    calls = [record("member", f"r{n}", latency_ms=latency) for n, latency in enumerate((10, 800, 800, 9000))]
    amend(cast.team, (calls[1], None), (calls[3], {"latency_ms": None}))
    row = HourModel.objects.get()
    assert (row.calls, row.latency_count, row.latency_sum_ms) == (3, 2, 810)
    call_command("verify_usage")


def test_model_outcome_route_and_tags_move(cast: Cast, record: Any) -> None:
    call = record("member", "a", tags=["x", "y"], model="old")
    values = {
        "model": "new",
        "status": 500,
        "outcome": Outcome.SERVER_ERROR,
        "channel": "west",
        "tags": ["y", "z"],
    }
    amend(cast.team, (call, values))
    assert DayModel.objects.values_list("model", "server_errors").get() == ("new", 1)
    assert set(CallTag.objects.values_list("tag", flat=True)) == {"y", "z"}
    assert set(CallRoute.objects.values_list("channel", flat=True)) == {"", "west"}
    call_command("verify_usage")


def test_the_days_are_those_of_the_team_and_of_who_paid(cast: Cast, record: Any) -> None:
    """At 23:30 UTC it is the next day in Berlin already, but not for the payer in New York."""
    cast.owner.owned_teams.filter(is_personal=True).update(time_zone="America/New_York")
    call = record("member", "a", minutes=12 * 60 + 30)
    before = set(QuotaUse.objects.values_list("level", "day"))
    amend(cast.team, (call, {"cost_nanos": 5}))
    assert set(QuotaUse.objects.values_list("level", "day")) == before
    assert set(QuotaUse.objects.values_list("used_nanos", flat=True)) == {5}
    call_command("verify_usage")


def test_pages_forget_sums_of_times_past_that_an_amendment_changes(cast: Cast, record: Any) -> None:
    recent, old = record("member", "a"), record("member", "b", minutes=60 * 48)
    stamp = past_stamps([cast.team.pk], Mode.LIVE)
    amend(cast.team, (recent, {"cost_nanos": 5}))
    assert past_stamps([cast.team.pk], Mode.LIVE) == stamp
    amend(cast.team, (old, {"cost_nanos": 5}))
    assert past_stamps([cast.team.pk], Mode.LIVE) != stamp


def test_nothing_to_amend_asks_nothing(
    cast: Cast, record: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call = record("member", "a")
    with django_assert_num_queries(0):
        amend_calls(team=cast.team, mode=Mode.LIVE, amendments=[], now=NOW)
        amend_calls(team=cast.team, mode=Mode.LIVE, amendments=[Amendment(call, {})], now=NOW)


@pytest.mark.parametrize("name", ["started_at", "member_id", "payer_id", "request_id"])
def test_which_call_it_is_and_whose_never_changes(cast: Cast, record: Any, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        amend(cast.team, (record("member", "a"), {name: 1}))


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["a", "b"]),
        "outcome": st.sampled_from([outcome.value for outcome in Outcome]),
        "priced_by": st.sampled_from([PricedBy.NOTHING.value, PricedBy.REPORT.value]),
        "cost_nanos": st.integers(0, 10**12),
        "input_tokens": st.integers(0, 10**6),
        "latency_ms": st.none() | st.integers(0, 10**8),
        "ttft_ms": st.none() | st.integers(0, 10**8),
        "tags": st.lists(st.sampled_from("xyz"), unique=True),
    },
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    minutes=st.lists(st.integers(0, 60 * 30), min_size=1, max_size=8),
    rounds=st.lists(st.dictionaries(st.integers(0, 7), st.none() | VALUES), max_size=4),
)
def test_whatever_is_amended_the_sums_stay_those_of_the_calls(
    cast: Cast, token_of: Callable[..., tuple[Token, str]], minutes: Any, rounds: Any
) -> None:
    by = Caller(token=token_of("member")[0])
    calls = [
        ReportedCall(
            request_id=str(n),
            started_at=NOW - timedelta(minutes=ago),
            model="a",
            latency_ms=ago,
            cost_nanos=ago,
        )
        for n, ago in enumerate(minutes)
    ]
    record_calls(calls, by=by, now=NOW)
    for changes in rounds:
        stored = {int(call.request_id): call for call in Call.objects.all()}
        amend(cast.team, *((stored[n], values) for n, values in changes.items() if n in stored))
    call_command("verify_usage")
    tags = {(call.id, tag) for call in Call.objects.all() for tag in call.tags}
    assert set(CallTag.objects.values_list("id", "tag")) == tags
    assert not any(rollup._default_manager.filter(calls=0).exists() for rollup in ROLLUPS)
    for table in TABLES:
        table._default_manager.all().delete()
