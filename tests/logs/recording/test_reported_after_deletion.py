"""Calls that are reported again after they were deleted: nothing is counted or charged twice."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from logs.formats.reported import ReportedCall
from logs.integrity.retention import delete_old_calls
from logs.models import Call, KeptCalls
from logs.recording import record as recording
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models import GatewayKey, Mode, Team
from teams.models.keys import Token
from teams.signals import time_zone_changed
from tests.conftest import Cast
from tests.logs.conftest import NOW, record, report
from tests.logs.formats.test_otlp import CHAT, request, span
from tests.logs.recording.test_api_litellm import payload
from usage.quotas.models import Level, QuotaUse
from usage.rollups.bulk import insert_new
from usage.rollups.models import ROLLUPS, DayModel

LONG_AGO = NOW - timedelta(days=24)
# The first moment of which calls are left after 20 days, on the team's clock, that of Berlin.
CUT = "2026-10-30T23:00:00Z"


@pytest.fixture
def by_mia(token_of: Callable[..., tuple[Token, str]]) -> Caller:
    return Caller(token=token_of("member")[0])


def call(request_id: str = "r1", days: float = 24.0, **fields: Any) -> ReportedCall:
    values: dict[str, Any] = {"model": "gpt-4o-mini", "cost_nanos": 7, "latency_ms": 800} | fields
    return ReportedCall(request_id=request_id, started_at=NOW - timedelta(days=days), **values)


def forget(settings: Any, days: int = 20, now: datetime = NOW) -> int:
    """Housekeeping with that retention; how many calls were deleted."""
    settings.CALL_RETENTION_DAYS = days
    return delete_old_calls(now=now)


def counted() -> list[list[str]]:
    """All statistics and all quota use."""
    tables: list[type[Model]] = [*ROLLUPS, QuotaUse]
    return [sorted(map(str, table._default_manager.values_list())) for table in tables]


def own(client: Client, secret: str, tmp_path: Path, cast: Cast) -> Any:
    batch = [record(f"r{n}", started_at=LONG_AGO.isoformat()) for n in range(3)]
    return report(client, "/api/v1/calls", secret, batch).json()["rejected"]


def litellm(client: Client, secret: str, tmp_path: Path, cast: Cast) -> Any:
    began = LONG_AGO.timestamp()
    batch = [payload(f"r{n}", startTime=began, endTime=began + 1) for n in range(3)]
    return report(client, "/api/v1/litellm", secret, batch).json()["rejected"]


def otlp(client: Client, secret: str, tmp_path: Path, cast: Cast) -> list[Any]:
    began = int(LONG_AGO.timestamp()) * 10**9
    times: dict[str, Any] = {"start_time_unix_nano": began, "end_time_unix_nano": began + 10**9}
    body = request(*(span({**CHAT, "gen_ai.response.id": f"r{n}"}, **times) for n in range(3)))
    answer = report(client, "/otlp/v1/traces", secret, body, "application/x-protobuf")
    return [*range(3)] if answer.status_code == 400 else []


def imported(client: Client, secret: str, tmp_path: Path, cast: Cast) -> list[Any] | list[int]:
    path = tmp_path / "calls.json"
    batch = [record(f"r{n}", started_at=LONG_AGO.isoformat(), member=cast.member.email) for n in range(3)]
    path.write_text(json.dumps(batch))
    try:
        call_command("import_calls", "--team", cast.team.slug, str(path))
    except CommandError:
        return [1, 2, 3]
    return []


@pytest.mark.parametrize("send", [own, litellm, otlp, imported])
def test_what_was_deleted_and_is_reported_again_is_refused(
    send: Any,
    now: datetime,
    client: Client,
    mia: str,
    tmp_path: Path,
    cast: Cast,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert send(client, mia, tmp_path, cast) == []
    assert send(client, mia, tmp_path, cast) == []
    before = counted()
    assert forget(settings) == 3
    assert len(send(client, mia, tmp_path, cast)) == 3
    assert counted() == before
    assert not Call.objects.exists()
    call_command("verify_usage")


def test_the_answer_names_the_record_and_from_when_on_calls_are_taken_and_the_others_are_stored(
    now: datetime, post: Callable[..., Any], mia: str, settings: Settings
) -> None:
    batch = [record("old", started_at=LONG_AGO.isoformat()), record("new")]
    post(mia, batch[:1])
    forget(settings)
    answer = post(mia, [batch[1], batch[0], record("edge", started_at=CUT)]).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 0)
    (refused,) = answer["rejected"]
    assert (refused["index"], refused["request_id"]) == (1, "old")
    assert (refused["code"], refused["param"]) == ("invalid_request", "started_at")
    assert refused["message"].startswith(f"started_at must not be before {CUT}: ")


def test_a_team_of_which_nothing_was_deleted_takes_calls_of_any_age(
    cast: Cast, by_mia: Caller, token_of: Callable[..., tuple[Token, str]], settings: Settings
) -> None:
    other = Caller(token=token_of("outsider", team=cast.other_team)[0])
    record_calls([call()], by=other, now=NOW)
    assert forget(settings) == 1
    assert forget(settings) == 0
    assert record_calls([call(days=900), call("b", days=30)], by=by_mia, now=NOW).accepted == 2
    assert len(record_calls([call(days=900)], by=other, now=NOW).rejected) == 1


def test_a_batch_of_several_teams_is_judged_by_what_each_has_deleted(
    cast: Cast, by_mia: Caller, token_of: Callable[..., tuple[Token, str]], settings: Settings, site_key: str
) -> None:
    other, _secret = token_of("outsider", team=cast.other_team)
    record_calls([call()], by=by_mia, now=NOW)
    forget(settings)
    batch = [call(token=by_mia.token.public_id), call(token=other.public_id)]
    result = record_calls(batch, by=Caller(gateway_key=GatewayKey.objects.get()), now=NOW)
    assert (result.accepted, [one.position for one in result.rejected]) == (1, [0])


def test_calls_in_test_mode_were_deleted_with_the_live_ones(
    token_of: Callable[..., tuple[Token, str]], by_mia: Caller, settings: Settings
) -> None:
    test = Caller(token=token_of("member", mode=Mode.TEST)[0])
    for by in (test, by_mia):
        record_calls([call()], by=by, now=NOW)
    assert forget(settings) == 2
    assert len(record_calls([call()], by=test, now=NOW).rejected) == 1


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_a_longer_retention_or_another_clock_brings_nothing_back(
    cast: Cast, by_mia: Caller, settings: Settings, zone: str
) -> None:
    record_calls([call(), call("b", days=19)], by=by_mia, now=NOW)
    forget(settings)
    since = KeptCalls.objects.get().since
    cast.team.time_zone = zone
    cast.team.save(update_fields=["time_zone"])
    time_zone_changed.send(Team, team=cast.team, before="Europe/Berlin")
    before = counted()
    assert forget(settings, days=500) == 0
    forget(settings)
    assert KeptCalls.objects.get().since >= since
    again = record_calls([call(), call("b", days=19)], by=by_mia, now=NOW)
    assert (again.accepted, again.duplicates, len(again.rejected)) == (0, 1, 1)
    assert counted() == before
    call_command("verify_usage")
    call_command("rebuild_usage")
    assert counted() == before


def test_from_when_on_calls_are_kept_never_goes_back(by_mia: Caller, settings: Settings) -> None:
    """As it did when calls that had been deleted were taken again."""
    record_calls([call(), call("b", days=40)], by=by_mia, now=NOW)
    since = NOW - timedelta(days=10)
    KeptCalls.objects.create(team_id=by_mia.token.team_id, since=since)
    assert forget(settings, days=30) == 1
    assert KeptCalls.objects.get().since == since


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_reported_and_deleted_in_whatever_order_counts_once(
    by_mia: Caller, settings: Settings, seed: Any
) -> None:
    rng, now = Random(seed), NOW
    taken: set[Any] = set()
    for _step in range(30):
        now += timedelta(hours=rng.choice([0, 0, 7, 30]))
        if rng.random() < 0.2:
            forget(settings, days=rng.choice([1, 5, 20]), now=now)
            continue
        # A call that is reported again began when it began.
        batch = [call(f"r{days}", days=days - 2.5) for days in rng.choices(range(30), k=6)]
        batch = [one for one in batch if one.started_at <= now]
        result = record_calls(batch, by=by_mia, now=now)
        new = set(Call.objects.values_list("request_id", flat=True)) - taken
        assert result.accepted == len(new)
        taken |= new
    assert taken
    assert sum(DayModel.objects.values_list("calls", flat=True)) == len(taken)
    assert sum(QuotaUse.objects.filter(level=Level.OWNER).values_list("used_nanos", flat=True)) == 7 * len(
        taken
    )
    call_command("verify_usage")


def test_a_reservation_is_not_settled_by_a_call_that_is_refused(by_mia: Caller, settings: Settings) -> None:
    record_calls([call()], by=by_mia, now=NOW)
    forget(settings)
    result = record_calls([call(reservation="res_gone")], by=by_mia, now=NOW)
    assert (len(result.rejected), result.warnings) == (1, [])


@pytest.mark.parametrize(("days", "statements"), [(0, 0), (0.4, 0), (2, 1)])
def test_recent_calls_cost_no_statement_more(by_mia: Caller, days: float, statements: int) -> None:
    with CaptureQueriesContext(connection) as asked:
        record_calls([call(days=days), call("b", days=days)], by=by_mia, now=NOW)
    assert sum("logs_keptcalls" in one["sql"] for one in asked.captured_queries) == statements


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_a_repeat_under_way_is_found_out_before_its_first_is_deleted(
    by_mia: Caller, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_calls([call()], by=by_mia, now=NOW)
    deleted = threading.Event()

    def housekeeping() -> None:
        try:
            forget(settings)
        finally:
            deleted.set()
            connection.close()

    cleaner = threading.Thread(target=housekeeping)

    def after_a_while(*arguments: Any, **more: Any) -> Any:
        """It was decided that the call may be taken, and it is not stored yet."""
        with suppress(RuntimeError):  # it runs already
            cleaner.start()
        deleted.wait(0.5)
        return insert_new(*arguments, **more)

    monkeypatch.setattr(recording, "insert_new", after_a_while)
    result = record_calls([call()], by=by_mia, now=NOW)
    cleaner.join()
    assert (result.accepted, result.duplicates) == (0, 1)
    assert not Call.objects.exists()
