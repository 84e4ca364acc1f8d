"""Recording: exactly once, counted everywhere, charged to everybody, all or nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from usage.prices.models import PricedBy
from usage.quotas.models import Level, QuotaUse
from usage.rollups.models import DayDetail, DayMember, DayModel, HourModel, Outcome
from usage.rollups.sketch import sketch_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def reported(request_id: str = "r1", **fields: Any) -> ReportedCall:
    return ReportedCall(
        **{
            "request_id": request_id,
            "started_at": NOW - timedelta(minutes=5),
            "model": "gpt-4o-mini",
            "input_tokens": 1000,
            "output_tokens": 500,
            "latency_ms": 800,
            **fields,
        }
    )


@pytest.fixture
def mia(token_of: Callable[..., tuple[Token, str]]) -> Caller:
    token, _secret = token_of("member")
    return Caller(token=token)


@pytest.fixture
def gateway(cast: Cast) -> Caller:
    key, _secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
    return Caller(gateway_key=key)


def test_a_call_is_stored_with_its_price_and_counted_in_every_rollup(cast: Cast, mia: Caller) -> None:
    result = record_calls([reported()], by=mia, now=NOW)
    assert (result.accepted, result.duplicates, result.rejected) == (1, 0, [])
    call = Call.objects.get()
    assert (call.team_id, call.member_id, call.payer_id) == (cast.team.pk, cast.member.pk, cast.owner.pk)
    assert (call.cost_nanos, call.priced_by) == (450_000, PricedBy.LIST)
    for rollup in (HourModel, DayModel, DayMember, DayDetail):
        row = rollup.objects.get()
        assert (row.calls, row.succeeded, row.cost_nanos, row.latency_sum_ms) == (1, 1, 450_000, 800)
        assert bytes(row.latency_sketch) == sketch_of([800])


def test_a_call_reported_again_changes_nothing(mia: Caller) -> None:
    record_calls([reported()], by=mia, now=NOW)
    again = record_calls([reported(), reported(model="other")], by=mia, now=NOW)
    assert (again.accepted, again.duplicates) == (0, 2)
    assert DayModel.objects.get().calls == 1


def test_a_call_twice_in_one_batch_is_stored_once(mia: Caller) -> None:
    result = record_calls([reported(), reported()], by=mia, now=NOW)
    assert (result.accepted, result.duplicates) == (1, 1)
    assert DayModel.objects.get().calls == 1


def test_live_and_test_mode_are_kept_apart_under_the_same_request_id(
    mia: Caller, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member", mode=Mode.TEST)
    record_calls([reported()], by=mia, now=NOW)
    assert record_calls([reported()], by=Caller(token=token), now=NOW).accepted == 1
    assert {row.mode: row.calls for row in DayModel.objects.all()} == {Mode.LIVE: 1, Mode.TEST: 1}


def test_every_level_of_quota_is_charged(cast: Cast, mia: Caller) -> None:
    record_calls([reported("a"), reported("b")], by=mia, now=NOW)
    personal = cast.owner.owned_teams.get(is_personal=True)
    used = {(use.team_id, use.level, use.subject_id): use.used_nanos for use in QuotaUse.objects.all()}
    assert used == {
        (cast.team.pk, Level.TOKEN, mia.token.pk): 900_000,
        (cast.team.pk, Level.MEMBER, cast.member.pk): 900_000,
        (cast.team.pk, Level.TEAM, 0): 900_000,
        (personal.pk, Level.OWNER, 0): 900_000,
    }


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"status": 200}, Outcome.SUCCEEDED),
        ({"status": 200, "has_error": True}, Outcome.SERVER_ERROR),
        ({"status": 400}, Outcome.CLIENT_ERROR),
        ({"status": 429}, Outcome.THROTTLED),
        ({"status": 503}, Outcome.SERVER_ERROR),
    ],
)
def test_the_outcome_follows_status_and_error(
    mia: Caller, fields: dict[str, int] | dict[str, Any], outcome: Outcome
) -> None:
    record_calls([reported(**fields)], by=mia, now=NOW)
    assert Call.objects.get().outcome == outcome


def test_a_failed_call_costs_only_what_it_says_it_cost(mia: Caller) -> None:
    record_calls([reported("a", status=500), reported("b", status=500, cost_nanos=7)], by=mia, now=NOW)
    assert dict(Call.objects.values_list("request_id", "cost_nanos")) == {"a": 0, "b": 7}


def test_a_model_without_a_price_costs_nothing_and_is_marked(mia: Caller) -> None:
    record_calls([reported(model="house-model")], by=mia, now=NOW)
    assert Call.objects.get().priced_by == PricedBy.NOTHING
    assert DayModel.objects.get().unpriced == 1


def test_a_gateway_reports_for_tokens_by_secret_or_id_and_for_members_by_address(
    cast: Cast, gateway: Caller, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, secret = token_of("member")
    result = record_calls(
        [
            reported("a", token=secret),
            reported("b", token=token.public_id),
            reported("c", team=cast.team.slug, member="MIA@example.org"),
            reported("d", member="adam@example.org"),
        ],
        by=gateway,
        now=NOW,
    )
    assert result.accepted == 4
    members = dict(Call.objects.values_list("request_id", "member_id"))
    assert members == dict.fromkeys("abc", cast.member.pk) | {"d": cast.administrator.pk}


def test_a_gateway_cannot_report_for_other_teams_former_members_or_nobody(
    cast: Cast, gateway: Caller, token_of: Callable[..., tuple[Token, str]]
) -> None:
    foreign, _secret = token_of("outsider", team=cast.other_team)
    result = record_calls(
        [
            reported("a", token=foreign.public_id),
            reported("b", team=cast.other_team.slug, member="otto@example.org"),
            reported("c", team=cast.team.slug, member="fay@example.org"),
            reported("d"),
            reported("e", token="tok_nobody"),
            reported("f", member="mia@example.org"),
        ],
        by=gateway,
        now=NOW,
    )
    assert [(r.request_id, r.error.param, r.error.code) for r in result.rejected] == [
        ("a", "token", "out_of_scope"),
        ("b", "member", "out_of_scope"),
        ("c", "member", "out_of_scope"),
        ("d", "token", "invalid_request"),
        ("e", "token", "invalid_token"),
    ]
    assert result.accepted == 1


def test_calls_made_while_a_token_worked_are_counted_even_when_reported_later(
    gateway: Caller, token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    token.revoked_at = NOW - timedelta(minutes=1)
    token.save(update_fields=["revoked_at"])
    late = reported("late", token=token.public_id, started_at=NOW)
    result = record_calls([reported("early", token=token.public_id), late], by=gateway, now=NOW)
    assert result.accepted == 1
    assert [r.request_id for r in result.rejected] == ["late"]


def test_a_token_speaks_for_itself_only(
    cast: Cast, mia: Caller, token_of: Callable[..., tuple[Token, str]]
) -> None:
    other, _secret = token_of("administrator")
    result = record_calls(
        [
            reported("a", token=other.public_id),
            reported("b", team=cast.other_team.slug),
            reported("c", member="adam@example.org"),
            reported("d", token=mia.token.public_id, team=cast.team.slug, member="Mia@example.org"),
        ],
        by=mia,
        now=NOW,
    )
    assert [r.error.code for r in result.rejected] == ["out_of_scope"] * 3
    assert result.accepted == 1


def test_nothing_is_stored_for_a_deleted_team(cast: Cast, mia: Caller) -> None:
    cast.team.deleted_at = NOW
    cast.team.save(update_fields=["deleted_at"])
    result = record_calls([reported()], by=mia, now=NOW)
    assert result.accepted == 0
    assert result.rejected[0].error.code == "invalid_token"
    assert not Call.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_failure_half_way_stores_nothing(mia: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(charges: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr("logs.recording.record.charge_quotas", broken)
    with pytest.raises(DatabaseError):
        record_calls([reported()], by=mia, now=NOW)
    assert not Call.objects.exists()
    assert not DayModel.objects.exists()
