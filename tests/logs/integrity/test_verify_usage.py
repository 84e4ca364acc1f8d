"""verify_usage: silent when statistics and quota use are what the calls add up to, and exact when not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.teams import update_team
from teams.activity import Actor
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level, QuotaUse
from usage.rollups.models import ROLLUPS, DayDetail, DayModel, HourMember, HourModel
from usage.rollups.sketch import sketch_of


@pytest.fixture
def calls(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """Three calls of Mia, one of Adam, one of Mia in test mode, within the last days."""
    now = timezone.now()
    for name, mode, count in [
        ("member", Mode.LIVE, 3),
        ("administrator", Mode.LIVE, 1),
        ("member", Mode.TEST, 1),
    ]:
        reported = [
            ReportedCall(
                request_id=f"{name}-{n}",
                started_at=now - timedelta(hours=20 * n, minutes=1),
                model="gpt-4o-mini",
                input_tokens=1000,
                output_tokens=500,
                latency_ms=800,
                ttft_ms=90,
            )
            for n in range(count)
        ]
        record_calls(reported, by=Caller(token=token_of(name, mode=mode)[0]), now=now)


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[bool, list[str]]]:
    """`verify()`: whether all is well, and the lines that were printed."""

    def run(*arguments: str) -> tuple[bool, list[str]]:
        try:
            call_command("verify_usage", *arguments)
        except CommandError:
            return False, capsys.readouterr().out.splitlines()
        return True, capsys.readouterr().out.splitlines()

    return run


def test_what_was_recorded_is_proved(verify: Callable[..., tuple[bool, list[str]]], calls: None) -> None:
    assert verify() == (True, ["5 calls, no difference"])


def test_an_empty_site_is_proved(verify: Callable[..., tuple[bool, list[str]]], db: None) -> None:
    assert verify() == (True, ["0 calls, no difference"])


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.__name__)
def test_a_row_that_is_gone_is_found_in_every_rollup(
    verify: Callable[..., tuple[bool, list[str]]], calls: None, rollup: Any
) -> None:
    rollup._default_manager.first().delete()
    well, lines = verify()
    assert not well
    assert all(line.startswith(f"{rollup.__name__} ") for line in lines)


@pytest.mark.parametrize(
    ("table", "change", "column"),
    [
        (DayModel, {"calls": 99}, "calls is 99, the calls add up to"),
        (HourModel, {"cost_nanos": 1}, "cost_nanos is 1, the calls add up to 450000"),
        (DayDetail, {"latency_sketch": sketch_of([801, 900])}, "latency_sketch is a sketch of 8 bytes"),
        (HourMember, {"ttft_sketch": b""}, "ttft_sketch is a sketch of 0 bytes"),
        (QuotaUse, {"used_nanos": 7}, "used_nanos is 7, the calls add up to"),
    ],
)
def test_a_number_that_was_changed_is_named_with_its_place(
    verify: Callable[..., tuple[bool, list[str]]],
    cast: Cast,
    calls: None,
    table: Any,
    change: dict[str, int] | dict[str, bytes],
    column: str,
) -> None:
    row = table.objects.filter(team_id=cast.team.pk, mode=Mode.LIVE).first()
    table.objects.filter(pk=row.pk).update(**change)
    well, (line,) = verify()
    assert not well
    assert line.startswith(f"{table.__name__} {cast.team.slug} live ")
    assert column in line


def test_a_row_that_no_call_explains_is_found(
    verify: Callable[..., tuple[bool, list[str]]], cast: Cast, calls: None
) -> None:
    row = DayModel.objects.filter(mode=Mode.TEST).get()
    row.model = "made-up"
    row.save(force_insert=True)
    well, lines = verify()
    assert not well
    assert any("made-up: calls is 1, the calls add up to 0" in line for line in lines)


def test_the_balance_of_the_owner_is_proved_too(
    verify: Callable[..., tuple[bool, list[str]]], cast: Cast, calls: None
) -> None:
    QuotaUse.objects.filter(level=Level.OWNER).update(used_nanos=1)
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    well, lines = verify()
    assert not well
    assert all(line.startswith(f"QuotaUse of the owner {space.slug} ") for line in lines)


def test_a_call_that_is_gone_is_found(verify: Callable[..., tuple[bool, list[str]]], calls: None) -> None:
    Call.objects.filter(request_id="member-0", mode=Mode.LIVE).delete()
    well, lines = verify()
    assert not well
    assert {line.split()[0] for line in lines} == {rollup.__name__ for rollup in ROLLUPS} | {"QuotaUse"}


def test_one_team_can_be_asked_for(
    verify: Callable[..., tuple[bool, list[str]]], cast: Cast, calls: None
) -> None:
    DayModel.objects.update(calls=7)
    assert verify("--team", cast.other_team.slug) == (True, ["0 calls, no difference"])
    assert not verify("--team", cast.team.slug)[0]
    with pytest.raises(CommandError, match="no team nowhere"):
        call_command("verify_usage", "--team", "nowhere")


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati"])
def test_a_team_that_changes_its_time_zone_gets_new_days_and_hours(
    verify: Callable[..., tuple[bool, list[str]]], cast: Cast, calls: None, zone: str
) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    for team in (cast.team, space):
        update_team(by=Actor(cast.owner, ""), team=team, name=team.name, description="", time_zone=zone)
    assert HourModel.objects.filter(team_id=cast.team.pk, hour__minute=15).exists() == (
        zone == "Asia/Kathmandu"
    )
    assert verify() == (True, ["5 calls, no difference"])
