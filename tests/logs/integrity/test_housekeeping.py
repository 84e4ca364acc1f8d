"""housekeeping: old calls go, their statistics stay, and a recount knows what it can no longer know."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from logs.formats.reported import ReportedCall
from logs.integrity import retention
from logs.models import Call, KeptCalls
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.teams import delete_team
from teams.activity import Actor
from teams.models import Team
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level, QuotaUse
from usage.rollups.models import DayModel

NOW = timezone.now()


@pytest.fixture
def calls(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """Three calls in the team: of today, of 100 and of 200 days ago."""
    token, _secret = token_of("member")
    aged = [
        ReportedCall(
            request_id=f"r{days}", started_at=NOW - timedelta(days=days), model="gpt-4o-mini", input_tokens=1000
        )
        for days in (0, 100, 200)
    ]
    record_calls(aged, by=Caller(token=token), now=NOW)


def run(name: str) -> str:
    out = StringIO()
    call_command(name, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_calls_past_the_retention_go_and_their_statistics_stay(calls: None) -> None:
    assert "1 calls deleted" in run("housekeeping")
    assert sorted(Call.objects.values_list("request_id", flat=True)) == ["r0", "r100"]
    assert sum(DayModel.objects.values_list("calls", flat=True)) == 3


def test_the_setting_says_how_long_calls_are_kept(calls: None, settings: Settings) -> None:
    settings.CALL_RETENTION_DAYS = 50
    assert "2 calls deleted" in run("housekeeping")


def test_calls_go_in_small_steps_with_pauses_for_those_who_write(
    calls: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CALL_RETENTION_DAYS = 50
    left = []
    monkeypatch.setattr("logs.integrity.retention._FIRST_STEP", 1)
    monkeypatch.setattr("logs.integrity.retention._FEWEST", 1)
    monkeypatch.setattr("logs.integrity.retention._MOST", 1)
    monkeypatch.setattr("logs.integrity.retention.sleep", lambda _seconds: left.append(Call.objects.count()))
    assert "2 calls deleted" in run("housekeeping")
    assert left == [2, 1]


def test_a_step_that_took_long_is_followed_by_a_smaller_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    clock = iter([0, 1, 1, 1.001, 2, 2.125, 3, 3])
    monkeypatch.setattr("logs.integrity.retention.monotonic", lambda: next(clock))
    monkeypatch.setattr("logs.integrity.retention.sleep", lambda _seconds: None)

    def step(most: int) -> bool:
        sizes.append(most)
        return len(sizes) < 4

    assert retention._in_steps(step) == 3
    assert sizes == [500, 50, 100, 80]


def test_a_second_run_finds_nothing_to_do(calls: None) -> None:
    run("housekeeping")
    assert "0 calls deleted" in run("housekeeping")


def test_verify_and_rebuild_leave_what_only_statistics_know(calls: None) -> None:
    run("housekeeping")
    assert "2 calls, no difference" in run("verify_usage")
    DayModel.objects.filter(day__gte=NOW.date() - timedelta(days=150)).update(calls=9)
    run("rebuild_usage")
    assert sum(DayModel.objects.values_list("calls", flat=True)) == 3
    assert sum(use.calls for use in QuotaUse.objects.filter(level=Level.OWNER)) == 3
    assert "no difference" in run("verify_usage")


def test_a_new_zone_does_not_lose_the_statistics_of_deleted_calls(cast: Cast, calls: None) -> None:
    from teams.signals import time_zone_changed

    run("housekeeping")
    cast.team.time_zone = "Asia/Tokyo"
    cast.team.save(update_fields=["time_zone"])
    time_zone_changed.send(Team, team=cast.team, before="Europe/Berlin")
    assert sum(DayModel.objects.values_list("calls", flat=True)) == 3


def test_a_purged_team_takes_its_calls_along_and_what_its_owner_paid_stays(cast: Cast, calls: None) -> None:
    delete_team(by=Actor(cast.owner), team=cast.team, typed_name=cast.team.name, now=NOW - timedelta(days=31))
    assert "1 teams purged" in run("housekeeping")
    assert not Call.objects.exists()
    assert sum(use.calls for use in QuotaUse.objects.filter(level=Level.OWNER)) == 3
    assert "no difference" in run("verify_usage")
    assert KeptCalls.objects.count() == 1
