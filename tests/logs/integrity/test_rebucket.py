"""A new clock after old calls were deleted: every call stays counted once, and what can be compared agrees."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from logs.formats.reported import ReportedCall
from logs.integrity.reconciliation import reconcile
from logs.integrity.retention import delete_old_calls
from logs.models import KeptCalls
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.teams import update_team
from teams.activity import SITE
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.integrity.test_rebuild_usage import rebuild, snapshot
from usage.quotas.models import QuotaUse
from usage.rollups.folding import COUNTERS, SKETCHES
from usage.rollups.models import ROLLUPS, ClockChange, DayModel, HourModel
from usage.rollups.sketch import merged

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZONES = [
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Honolulu",
    "Europe/Paris",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
]


def totals() -> list[tuple[Any, ...]]:
    """What each table holds of each team in all, whatever days and hours it is of; sketches as bytes."""
    found: list[Any] = []
    tables: tuple[Any, ...] = ROLLUPS
    for table in tables:
        teams = table.objects.values("team_id", "mode").order_by("team_id", "mode")
        found += teams.annotate(**{f"all_{name}": Sum(name) for name in COUNTERS})
        sketches = table.objects.values_list(*SKETCHES)
        found.append([merged(map(bytes, column)) for column in zip(*sketches, strict=True)])
    uses = QuotaUse.objects.values("team_id", "mode", "level", "subject_id").annotate(
        n=Sum("calls"), nanos=Sum("used_nanos")
    )
    return [*found, *uses.order_by("team_id", "mode", "level", "subject_id")]


def differences() -> str:
    out = StringIO()
    call_command("verify_usage", stdout=out)
    return out.getvalue()


def change_clock(team: Team, zone: str) -> None:
    update_team(by=SITE, team=team, name=team.name, description="", time_zone=zone)
    team.refresh_from_db()


def call(number: int, at: datetime) -> ReportedCall:
    latency = number % 7 * 100 or None
    return ReportedCall(
        request_id=f"r{number}", started_at=at, model=f"m{number % 3}", cost_nanos=number, latency_ms=latency
    )


@pytest.fixture
def hourly(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """A call of Mia's in every half hour of the week before NOW, in a team in New York."""
    change_clock(cast.team, "America/New_York")
    token, _secret = token_of("member")
    calls = [call(number, NOW - timedelta(minutes=30 * number)) for number in range(2 * 24 * 7)]
    record_calls(calls, by=Caller(token=token), now=NOW)


@pytest.fixture
def delete_before(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`delete_before(3)`: calls of more than so many days before NOW are deleted."""
    monkeypatch.setattr("logs.integrity.retention.sleep", lambda _seconds: None)

    def delete(days: int) -> None:
        settings.CALL_RETENTION_DAYS = days
        delete_old_calls(now=NOW)

    return delete


@pytest.mark.parametrize("zone", ZONES[1:])
def test_calls_are_counted_once_on_every_new_clock(
    cast: Cast, hourly: None, delete_before: Callable[..., None], zone: str
) -> None:
    delete_before(3)
    before, on_the_old_clock = totals(), snapshot()
    change_clock(cast.team, zone)
    assert totals() == before
    assert differences().endswith("no difference\n")
    assert not reconcile(cast.team, Mode.LIVE, date(2026, 11, 1)).apart_count
    change_clock(cast.team, "America/New_York")
    assert snapshot() == on_the_old_clock
    assert not ClockChange.objects.exists()


def test_days_from_the_one_that_is_told_are_those_of_the_new_clock(
    cast: Cast, hourly: None, delete_before: Callable[..., None]
) -> None:
    delete_before(3)  # from 17 Nov on, which begins at 10:30 of Kolkata's
    change_clock(cast.team, "Asia/Kolkata")
    assert ClockChange.objects.get().exact_from == date(2026, 11, 18)
    days = dict(DayModel.objects.values_list("day").annotate(n=Sum("calls")))
    assert (days[date(2026, 11, 17)], days[date(2026, 11, 18)]) == (27, 48)
    assert HourModel.objects.filter(hour=datetime(2026, 11, 17, 4, 30, tzinfo=UTC)).exists()


def test_what_is_gone_stays_gone_when_the_setting_is_raised(
    cast: Cast, hourly: None, delete_before: Callable[..., None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    delete_before(3)
    since = KeptCalls.objects.get().since
    late = call(1000, NOW - timedelta(days=6))
    record_calls([late], by=Caller(token=token_of("member")[0]), now=NOW)
    delete_before(5)
    assert KeptCalls.objects.get().since == since


minutes = st.integers(0, 14 * 24 * 60)
steps = st.one_of(
    st.tuples(st.just("report"), st.lists(minutes, min_size=1, max_size=6)),
    st.tuples(st.just("team"), st.sampled_from(ZONES)),
    st.tuples(st.just("space"), st.sampled_from(ZONES)),
    st.tuples(st.just("delete"), st.tuples(st.booleans(), st.integers(1, 13))),
)


@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(
    # The team's statistics are of kept calls alone from a later day on than its owner's balance.
    taken=[("report", [6052, 1124, 1144]), ("delete", (False, 1)), ("space", ZONES[6]), ("team", ZONES[5])]
)
@given(taken=st.lists(steps, min_size=4, max_size=12))
def test_whatever_is_deleted_and_whatever_clocks_follow(
    cast: Cast,
    token_of: Callable[..., tuple[Token, str]],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    taken: Any,
) -> None:
    monkeypatch.setattr("logs.integrity.retention.sleep", lambda _seconds: None)
    with transaction.atomic():
        token, _secret = token_of("member")
        space = Team.objects.get(is_personal=True, owner=cast.owner)
        team, number = Team.objects.get(pk=cast.team.pk), 0
        for what, value in taken:
            before = totals()
            if what == "report":
                times = [NOW - timedelta(minutes=one) for one in value]
                record_calls(
                    [call(number + place, at) for place, at in enumerate(times)],
                    by=Caller(token=token),
                    now=NOW,
                )
                number += len(times)
                continue
            if what == "delete":
                is_later, settings.CALL_RETENTION_DAYS = value
                delete_old_calls(now=NOW + timedelta(hours=5 if is_later else 0))
            else:
                change_clock(team if what == "team" else space, value)
            assert totals() == before
        assert differences().endswith("no difference\n")
        stored = snapshot()
        rebuild()
        assert snapshot() == stored
        transaction.set_rollback(True)
