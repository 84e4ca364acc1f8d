"""`POST /api/v1/reservations` and `DELETE /api/v1/reservations/{id}`"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from teams.models import Membership, Mode, Team, Token
from tests.conftest import Cast
from tests.usage.conftest import nanos
from usage.prices.models import Price
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Refusal, Reservation


@pytest.fixture
def mia(token_of: Callable[..., tuple[Token, str]]) -> Any:
    return token_of("member")[1]


def error_of(answer: Any) -> tuple[Any, ...]:
    status, body = answer
    return status, body["error"]["code"], body["error"]["param"]


def test_a_token_reserves_an_amount(
    cast: Cast, api: Callable[..., tuple[Any, Any]], mia: Any, limit: Callable[..., None]
) -> None:
    limit(Level.MEMBER, "12.35")
    status, body = api(mia, "POST", "reservations", {"amount_usd": "0.01"})
    assert status == 201
    reservation = Reservation.objects.get(pk=body["id"])
    assert reservation.amount_nanos == nanos("0.01")
    assert (body["amount_usd"], body["available_usd"], body["state"]) == ("0.01", "12.34", "open")
    assert body["context"]["team"] == {
        "slug": "harbour-research",
        "name": "Harbour Research",
        "personal": False,
    }
    assert body["context"]["member"] == {"email": "mia@example.org", "role": "member"}
    levels = {level["level"]: level for level in body["context"]["quota"]}
    assert list(levels) == ["token", "member", "team", "owner"]
    assert levels["member"]["reserved_usd"] == "0.01"
    lapses_in = datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert timedelta(minutes=9) < lapses_in <= timedelta(minutes=10)
    assert body["expires_at"].endswith("Z")


def test_what_is_available_is_null_without_any_limit(api: Callable[..., tuple[Any, Any]], mia: Any) -> None:
    assert api(mia, "POST", "reservations", {"amount_usd": 0.5})[1]["available_usd"] is None


def test_tokens_are_estimated_by_the_price_list(api: Callable[..., tuple[Any, Any]], mia: Any) -> None:
    wanted = {"model": "gpt-4o-mini", "input_tokens": 1000, "max_output_tokens": 500}
    status, body = api(mia, "POST", "reservations", wanted)
    assert (status, body["amount_usd"], body["unpriced"]) == (201, "0.000450", False)


def test_the_sites_own_price_comes_first(api: Callable[..., tuple[Any, Any]], mia: Any) -> None:
    Price.objects.create(
        model="house", input_usd=1, output_usd=2, valid_from=timezone.now() - timedelta(days=1)
    )
    wanted = {"model": "house", "input_tokens": 1_000_000, "max_output_tokens": 1_000_000}
    assert api(mia, "POST", "reservations", wanted)[1]["amount_usd"] == "3.00"


def test_a_refusal_names_level_limit_used_reserved_and_reset(
    cast: Cast, api: Callable[..., tuple[Any, Any]], mia: Any, limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "1")
    api(mia, "POST", "reservations", {"amount_usd": "0.75"})
    status, body = api(mia, "POST", "reservations", {"amount_usd": "0.50"})
    error = body["error"]
    assert (status, error["code"], error["type"]) == (429, "insufficient_quota", "insufficient_quota")
    assert error["message"]
    told = {name: error[name] for name in ("level", "limit_usd", "used_usd", "reserved_usd", "param")}
    assert told == {
        "level": "team",
        "limit_usd": "1.00",
        "used_usd": "0.00",
        "reserved_usd": "0.75",
        "param": None,
    }
    resets_at = datetime.fromisoformat(error["resets_at"]).astimezone(cast.team.zone)
    assert (resets_at.day, resets_at.hour, resets_at.minute) == (1, 0, 0)
    assert Refusal.objects.get().refused == 1


def test_a_quota_that_never_resets_says_null(
    api: Callable[..., tuple[Any, Any]], mia: Any, limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "0", period="none")
    status, body = api(mia, "POST", "reservations", {"amount_usd": "0.50"})
    assert (status, body["error"]["resets_at"]) == (429, None)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "gpt-4o-mini"}, "input_tokens"),
        ({"amount_usd": "-1"}, "amount_usd"),
        ({"amount_usd": ""}, "amount_usd"),
        ({"amount_usd": "much"}, "amount_usd"),
        ({"amount_usd": "0.0000000001"}, "amount_usd"),
        ({"amount_usd": "10000000.1"}, "amount_usd"),
        ({"amount_usd": True}, "amount_usd"),
        ({"amount_usd": [1]}, "amount_usd"),
        ({"amount_usd": float("nan")}, "amount_usd"),
        ({"model": "m", "input_tokens": -1}, "input_tokens"),
        ({"model": "m", "input_tokens": "10"}, "input_tokens"),
        ({"model": "m", "max_output_tokens": 1.5}, "max_output_tokens"),
        ({"model": "m", "input_tokens": 10**12}, "input_tokens"),
        ({"model": 7, "input_tokens": 1}, "model"),
        ({"model": "m" * 129, "input_tokens": 1}, "model"),
        ({"amount_usd": "1", "ttl_seconds": 0}, "ttl_seconds"),
        ({"amount_usd": "1", "ttl_seconds": 3601}, "ttl_seconds"),
        ({"amount_usd": "1", "request_id": "r" * 129}, "request_id"),
        ({"amount_usd": "1", "request_id": "a\0b"}, "request_id"),
        ({"amount_usd": "1", "request_id": "\ud800"}, "request_id"),
    ],
)
def test_a_wrong_field_is_named(api: Callable[..., tuple[Any, Any]], mia: Any, body: Any, param: str) -> None:
    assert error_of(api(mia, "POST", "reservations", body)) == (400, "invalid_request", param)
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "invalid_json"),
        (b"\xff\xfe", "application/json", 400, "invalid_json"),
        ("[" * 60_000, "application/json", 400, "invalid_json"),
        ("[]", "application/json", 400, "invalid_request"),
        ("null", "application/json", 400, "invalid_request"),
        ("x" * 70_000, "application/json", 413, "too_large"),
        ("{}", "text/plain", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    api: Callable[..., tuple[Any, Any]], mia: Any, body: str | bytes, content_type: str, status: int, code: str
) -> None:
    assert error_of(api(mia, "POST", "reservations", body, content_type))[:2] == (status, code)


def test_the_same_request_id_again_gives_the_same_reservation(
    api: Callable[..., tuple[Any, Any]], mia: Any
) -> None:
    wanted = {"amount_usd": "1", "request_id": "r1"}
    first, again = (api(mia, "POST", "reservations", wanted) for _ in range(2))
    assert first[0] == again[0] == 201
    assert first[1]["id"] == again[1]["id"]
    assert Reservation.objects.count() == 1


def test_a_request_id_of_somebody_else_is_refused(
    api: Callable[..., tuple[Any, Any]], mia: Any, token_of: Callable[..., tuple[Token, str]]
) -> None:
    wanted = {"amount_usd": "1", "request_id": "r1"}
    api(mia, "POST", "reservations", wanted)
    answer = api(token_of("owner")[1], "POST", "reservations", wanted)
    assert error_of(answer) == (400, "invalid_request", "request_id")


def test_a_token_with_a_list_of_models_reserves_for_these_only(
    api: Callable[..., tuple[Any, Any]], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, secret = token_of("member")
    Token.objects.filter(pk=token.pk).update(models=["gpt-4o-mini"])
    wanted = {"amount_usd": "1"}
    assert api(secret, "POST", "reservations", wanted | {"model": "gpt-4o-mini"})[0] == 201
    answer = api(secret, "POST", "reservations", wanted | {"model": "gpt-4o"})
    assert error_of(answer) == (403, "out_of_scope", "model")
    assert error_of(api(secret, "POST", "reservations", wanted)) == (400, "invalid_request", "model")


@pytest.mark.parametrize(
    ("named", "param"),
    [
        ({"token": "tok_other"}, "token"),
        ({"team": "outside"}, "team"),
        ({"member": "olivia@example.org"}, "member"),
    ],
)
def test_a_token_reserves_for_itself_only(
    api: Callable[..., tuple[Any, Any]], mia: Any, named: dict[str, str], param: str
) -> None:
    answer = api(mia, "POST", "reservations", {"amount_usd": "1", **named})
    assert error_of(answer) == (403, "out_of_scope", param)


def test_a_token_may_name_itself(
    api: Callable[..., tuple[Any, Any]], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, secret = token_of("member")
    named: dict[str, Any] = {"token": token.public_id, "team": "harbour-research", "member": "MIA@example.org"}
    assert api(secret, "POST", "reservations", {"amount_usd": "1", **named})[0] == 201


def test_a_gateway_reserves_for_tokens_and_members_of_its_team(
    cast: Cast,
    api: Callable[..., tuple[Any, Any]],
    gateway_secret: Any,
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token, secret = token_of("member", mode=Mode.TEST)
    for named, mode, kind in [
        ({"token": secret}, "test", "token"),
        ({"token": token.public_id}, "test", "token"),
        ({"team": "harbour-research", "member": "mia@example.org"}, "live", "member"),
        ({"member": "MIA@example.org"}, "live", "member"),
    ]:
        status, body = api(gateway_secret, "POST", "reservations", {"amount_usd": "1", **named})
        assert (status, body["context"]["mode"], body["context"]["kind"]) == (201, mode, kind)
    assert set(Reservation.objects.values_list("member", flat=True)) == {cast.member.pk}


def test_a_gateway_of_the_site_reserves_for_anybody(
    api: Callable[..., tuple[Any, Any]],
    site_secret: Any,
    token_of: Callable[..., tuple[Token, str]],
    cast: Cast,
) -> None:
    token, _secret = token_of("outsider", team=cast.other_team)
    for named in (
        {"token": token.public_id},
        {"team": "harbour-research", "member": "mia@example.org"},
    ):
        assert api(site_secret, "POST", "reservations", {"amount_usd": "1", **named})[0] == 201
    answer = api(site_secret, "POST", "reservations", {"amount_usd": "1", "member": "mia@example.org"})
    assert error_of(answer) == (400, "invalid_request", "team")


def test_a_gateway_is_refused_for_others_and_for_nobody(
    cast: Cast,
    api: Callable[..., tuple[Any, Any]],
    gateway_secret: Any,
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    foreign, _secret = token_of("outsider", team=cast.other_team)
    for named, expected in [
        ({}, (400, "invalid_request", "token")),
        ({"token": foreign.public_id}, (403, "out_of_scope", "token")),
        ({"token": "tok_nobody"}, (403, "out_of_scope", "token")),
        ({"team": "outside", "member": "otto@example.org"}, (403, "out_of_scope", "team")),
        ({"member": "fay@example.org"}, (403, "out_of_scope", "member")),
        ({"member": "nobody@example.org"}, (403, "out_of_scope", "member")),
    ]:
        answer = api(gateway_secret, "POST", "reservations", {"amount_usd": "1", **named})
        assert error_of(answer) == expected


@pytest.mark.parametrize("field", ["revoked_at", "disabled_at", "expires_at"])
def test_a_gateway_is_refused_for_a_token_that_ended(
    api: Callable[..., tuple[Any, Any]],
    gateway_secret: Any,
    token_of: Callable[..., tuple[Token, str]],
    field: str,
) -> None:
    token, secret = token_of("member")
    Token.objects.filter(pk=token.pk).update(**{field: timezone.now()})
    answer = api(gateway_secret, "POST", "reservations", {"amount_usd": "1", "token": token.public_id})
    assert error_of(answer) == (401, "invalid_token", "token")
    assert error_of(api(secret, "POST", "reservations", {"amount_usd": "1"}))[:2] == (401, "invalid_token")


def test_who_left_and_a_deleted_team_are_refused(
    cast: Cast, api: Callable[..., tuple[Any, Any]], mia: Any, gateway_secret: Any
) -> None:
    Membership.objects.filter(team=cast.team, user=cast.member).delete()
    wanted = {"amount_usd": "1"}
    assert error_of(api(mia, "POST", "reservations", wanted))[:2] == (401, "invalid_token")
    Team.objects.filter(pk=cast.team.pk).update(deleted_at=timezone.now())
    answer = api(gateway_secret, "POST", "reservations", wanted | {"member": "olivia@example.org"})
    assert error_of(answer)[:2] == (401, "invalid_token")


def test_without_a_key_nothing_is_reserved_and_other_methods_are_refused(
    api: Callable[..., tuple[Any, Any]], mia: Any
) -> None:
    assert error_of(api("", "POST", "reservations", {}))[:2] == (401, "missing_key")
    assert api(mia, "GET", "reservations")[0] == 405


def test_deleting_rolls_back_and_may_be_repeated(
    api: Callable[..., tuple[Any, Any]], mia: Any, level_of: Callable[..., LevelState]
) -> None:
    reservation_id = api(mia, "POST", "reservations", {"amount_usd": "1"})[1]["id"]
    for _ in range(2):
        assert api(mia, "DELETE", f"reservations/{reservation_id}") == (204, None)
    assert Reservation.objects.get().state(timezone.now()) == "rolled_back"
    assert level_of(Level.TEAM, now=timezone.now()).reserved_nanos == 0


def test_only_what_is_yours_can_be_deleted(
    cast: Cast,
    api: Callable[..., tuple[Any, Any]],
    mia: Any,
    token_of: Callable[..., tuple[Token, str]],
    gateway_secret: Any,
    site_secret: Any,
) -> None:
    reservation_id = api(mia, "POST", "reservations", {"amount_usd": "1"})[1]["id"]
    strangers = [
        token_of("owner")[1],
        token_of("member", mode=Mode.TEST)[1],
        token_of("outsider", team=cast.other_team)[1],
    ]
    for secret in strangers:
        assert error_of(api(secret, "DELETE", f"reservations/{reservation_id}"))[:2] == (404, "not_found")
    assert error_of(api(mia, "DELETE", "reservations/res_nothing"))[:2] == (404, "not_found")
    assert Reservation.objects.get().state(timezone.now()) == "open"
    for secret in (gateway_secret, site_secret, token_of("member")[1]):
        assert api(secret, "DELETE", f"reservations/{reservation_id}")[0] == 204


def test_a_call_settles_its_reservation_over_http(
    api: Callable[..., tuple[Any, Any]], mia: Any, level_of: Callable[..., LevelState]
) -> None:
    reservation_id = api(mia, "POST", "reservations", {"amount_usd": "1"})[1]["id"]
    now = timezone.now()
    call = {"request_id": "a", "started_at": now.isoformat(), "model": "m", "cost_usd": "0.25"}
    settled = call | {"reservation": reservation_id}
    assert api(mia, "POST", "calls", settled)[1] == {"accepted": 1, "duplicates": 0, "rejected": []}
    state = level_of(Level.TEAM, now=now)
    assert (state.used_nanos, state.reserved_nanos) == (nanos("0.25"), 0)
    again = api(mia, "POST", "calls", settled | {"request_id": "b"})[1]
    assert again["accepted"] == 1
    assert [(w["index"], w["request_id"], w["param"]) for w in again["warnings"]] == [(0, "b", "reservation")]
