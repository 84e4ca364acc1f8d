"""The page that proves a month: calls in the logs, statistics, quota used, side by side."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from config.snapshot import one_snapshot
from logs.formats.reported import ReportedCall
from logs.integrity import reconciliation
from logs.integrity.reconciliation import Amount, reconcile
from logs.integrity.retention import delete_old_calls
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level, QuotaUse
from usage.rollups.models import ROLLUPS, DayMember, HourModel

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)
# Of October in UTC, of November in Berlin.
FIRST = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


def report(by: Caller, *moments: datetime, **fields: Any) -> None:
    calls = [
        ReportedCall(
            **{"request_id": f"{at.isoformat()}-{n}", "started_at": at, "model": "m", "cost_nanos": 7, **fields}
        )
        for n, at in enumerate(moments)
    ]
    assert record_calls(calls, by=by, now=NOW).accepted == len(calls)


@pytest.fixture
def calls(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """Of November three live calls of Mia, one of them reported for her by a gateway, one in test mode; one
    of October, and one of somebody else's team."""
    token = Caller(token=token_of("member")[0])
    gateway = Caller(gateway_key=create_gateway_key(by=SITE, team=cast.team, name="proxy")[0])
    report(token, FIRST, NOW, model="gpt-4o", cost_nanos=1_000_000_001)
    report(gateway, NOW - timedelta(days=3), member="mia@example.org", cost_nanos=5)
    report(token, FIRST - timedelta(hours=1))
    report(Caller(token=token_of("member", Mode.TEST)[0]), NOW)
    report(Caller(token=token_of("outsider", team=cast.other_team)[0]), NOW)


@pytest.fixture
def see(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., str]:
    """`see("owner", "month=2026-11")`: the page, read on 20 November."""
    address = reverse("logs:check", args=[cast.team.slug])

    def get(who: str = "owner", query: str = "", status: int = 200) -> str:
        with time_machine.travel(NOW, tick=False):
            response = client_of(who).get(f"{address}?{query}")
        assert response.status_code == status
        return unescape(response.content.decode())

    return get


def test_all_agree_to_the_nano_dollar(cast: Cast, calls: None) -> None:
    found = reconcile(cast.team, Mode.LIVE, NOVEMBER)
    assert (found.logged, found.apart) == (Amount(3, 2_000_000_007), [])
    assert (found.first, found.end) == (NOVEMBER, date(2026, 12, 1))
    of_tokens = Amount(2, 2_000_000_002)  # the gateway named no token
    expected = [found.logged] * 8 + [of_tokens]
    assert [source.stored for source in found.sources] == expected
    assert [source.logged for source in found.sources] == expected


def test_days_are_those_of_the_team(cast: Cast, calls: None) -> None:
    assert reconcile(cast.team, Mode.LIVE, date(2026, 10, 1)).logged == Amount(1, 7)
    assert not reconcile(cast.team, Mode.LIVE, date(2026, 10, 1)).apart


def test_test_mode_is_compared_apart(cast: Cast, calls: None) -> None:
    found = reconcile(cast.team, Mode.TEST, NOVEMBER)
    assert (found.logged, found.apart) == (Amount(1, 7), [])


def test_a_personal_space_is_compared_too(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    report(Caller(token=token_of("member", team=space)[0]), NOW)
    found = reconcile(space, Mode.LIVE, NOVEMBER)
    assert (found.logged, found.apart) == (Amount(1, 7), [])


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.__name__)
def test_a_nano_dollar_too_much_is_found_in_every_table(cast: Cast, calls: None, rollup: Any) -> None:
    row = rollup._default_manager.filter(team_id=cast.team.pk, mode=Mode.LIVE, cost_nanos=1_000_000_001).first()
    rollup._default_manager.filter(pk=row.pk).update(cost_nanos=1_000_000_002)
    found = reconcile(cast.team, Mode.LIVE, NOVEMBER)
    (one,) = found.apart
    assert one.source == reconciliation.NAMES[rollup]
    assert (one.stored, one.logged) == (Amount(1, 1_000_000_002), Amount(1, 1_000_000_001))


@pytest.mark.parametrize("level", [Level.TOKEN, Level.MEMBER, Level.TEAM])
def test_quota_that_was_charged_wrongly_is_found_at_every_level(cast: Cast, calls: None, level: Level) -> None:
    uses = QuotaUse.objects.filter(team_id=cast.team.pk, mode=Mode.LIVE, level=level, day=date(2026, 11, 20))
    uses.update(calls=9)
    (one,) = reconcile(cast.team, Mode.LIVE, NOVEMBER).apart
    assert (one.stored.calls, one.logged.calls, one.place.day) == (9, 1, date(2026, 11, 20))


def test_sums_that_are_right_together_and_wrong_one_by_one_are_found(
    cast: Cast, calls: None, token_of: Callable[..., tuple[Token, str]]
) -> None:
    report(Caller(token=token_of("owner")[0]), NOW)
    days = DayMember.objects.filter(team_id=cast.team.pk, mode=Mode.LIVE, day=date(2026, 11, 20))
    days.filter(member_id=cast.member.pk).update(cost_nanos=7)
    days.filter(member_id=cast.owner.pk).update(cost_nanos=1_000_000_001)
    found = reconcile(cast.team, Mode.LIVE, NOVEMBER)
    assert {one.who for one in found.apart} == {"Mia", "Olivia"}
    assert found.logged == found.sources[3].stored


def test_a_call_that_is_gone_and_a_row_that_none_explains_are_found(
    cast: Cast, calls: None, see: Callable[..., str]
) -> None:
    Call.objects.filter(team_id=cast.team.pk, mode=Mode.LIVE, started_at=NOW).delete()
    assert len(reconcile(cast.team, Mode.LIVE, NOVEMBER).apart) == 9
    page = see()
    for words in ("9 figures differ from the sums of the calls", "20 Nov 2026", "Mia", "gpt-4o", "laptop"):
        assert words in page
    assert "All figures agree" not in page


def test_the_page_says_that_all_is_well_and_how_much_it_was(calls: None, see: Callable[..., str]) -> None:
    page = see("administrator")
    for words in ("All figures agree, to the nano-dollar", "3 calls, $2.000000007.", "November 2026"):
        assert words in page
    assert "Differences" not in page
    assert "verify_usage" in page


def test_it_leads_to_other_months_and_keeps_the_mode(calls: None, see: Callable[..., str]) -> None:
    page = see(query="mode=test")
    assert "?mode=test&month=2026-10" in page
    assert "month=2026-12" not in page  # nothing was called then
    assert "One call, $0.000000007." in page
    assert "?month=2026-11" in see(query="month=2026-10")


@pytest.mark.parametrize("month", ["november", "2026-13", "2026", "0001-01", "9999-12", "2026-11-01"])
def test_a_month_that_is_none_is_told(see: Callable[..., str], month: str) -> None:
    assert "Enter a month such as 2026-11." in see(query=f"month={month}")


def test_the_quotas_page_leads_to_it(cast: Cast, client_of: Callable[..., Client]) -> None:
    page = client_of("owner").get(reverse("usage:quotas", args=[cast.team.slug])).content.decode()
    assert reverse("logs:check", args=[cast.team.slug]) in page


def test_days_whose_calls_were_deleted_are_not_compared_and_it_says_so(
    cast: Cast, calls: None, see: Callable[..., str], settings: Settings
) -> None:
    settings.CALL_RETENTION_DAYS = 5
    delete_old_calls(now=NOW)
    found = reconcile(cast.team, Mode.LIVE, NOVEMBER)
    assert (found.logged.calls, found.apart, found.first) == (2, [], date(2026, 11, 15))
    assert "Compared from 15 November 2026 on" in see()
    assert "Nothing to compare" in see(query="month=2026-10")


def test_a_page_reads_no_more_days_once_it_has_read_enough_calls(
    cast: Cast, calls: None, see: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "MOST_CALLS", 2)
    found = reconcile(cast.team, Mode.LIVE, NOVEMBER)
    assert (found.first, found.logged, found.apart) == (date(2026, 11, 17), Amount(2, 1_000_000_006), [])
    assert found.is_cut
    assert "Compared from 17 November 2026 on" in see()


def test_a_month_is_read_by_as_many_queries_as_it_has_days_and_a_few(
    cast: Cast, calls: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(30 + 9):
        reconcile(cast.team, Mode.LIVE, NOVEMBER)


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_calls_that_arrive_meanwhile_neither_wait_nor_count(
    cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token = Caller(token=token_of("member")[0])
    report(token, NOW)

    def arrive() -> None:
        try:
            report(token, NOW, request_id="meanwhile")
        finally:
            connection.close()

    with one_snapshot():
        assert Call.objects.count() == 1
        thread = threading.Thread(target=arrive)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        assert Call.objects.count() == 1
        assert sum(HourModel.objects.values_list("calls", flat=True)) == 1
    assert Call.objects.count() == 2
    assert not reconcile(cast.team, Mode.LIVE, NOVEMBER).apart


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_a_page_that_fails_leaves_no_transaction_behind(cast: Cast) -> None:
    def fail() -> None:
        with one_snapshot():
            raise ZeroDivisionError(Call.objects.count())

    with pytest.raises(ZeroDivisionError):
        fail()
    with one_snapshot():  # SQLite would refuse a second BEGIN
        assert Call.objects.count() == 0
