"""GET /api/v1/usage: the same numbers as the pages, for those who may see them."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode, Token
from tests.conftest import Cast

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def calls(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """Two calls of Mia, one of Adam, one of Mia in test mode."""
    for name, mode, count in [
        ("member", Mode.LIVE, 2),
        ("administrator", Mode.LIVE, 1),
        ("member", Mode.TEST, 1),
    ]:
        token, _secret = token_of(name, mode=mode)
        record_calls(
            [
                ReportedCall(
                    request_id=f"{name}-{index}",
                    started_at=NOW - timedelta(hours=1),
                    model="gpt-4o-mini",
                    input_tokens=1000,
                    output_tokens=500,
                    latency_ms=800,
                )
                for index in range(count)
            ],
            by=Caller(token=token),
            now=NOW,
        )


@pytest.fixture
def get(client: Client, calls: None) -> Callable[..., Any]:
    def ask(secret: str, query: str = "", **headers: Any) -> Any:
        return client.get(f"/api/v1/usage?{query}", headers={"Authorization": f"Bearer {secret}", **headers})

    return ask


def secret_of(token_of: Any, name: str, **more: Any) -> Any:
    return token_of(name, **more)[1]


@pytest.mark.parametrize(("name", "seen"), [("owner", 3), ("administrator", 3), ("member", 2)])
def test_owners_and_administrators_see_the_team_and_members_themselves(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], name: str, seen: int
) -> None:
    answer = get(secret_of(token_of, name), "group_by=member").json()
    assert answer["totals"]["calls"] == seen
    assert sum(row["calls"] for row in answer["rows"]) == seen


def test_rows_have_exact_costs_and_all_four_dimensions(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    answer = get(secret_of(token_of, "owner"), "group_by=model,member&granularity=day").json()
    row = next(row for row in answer["rows"] if row["member"] == "mia@example.org")
    assert (row["time"], row["model"], row["token"]) == (None, "gpt-4o-mini", None)
    assert (row["cost_usd"], row["success_rate"]) == ("0.000900", 1.0)
    assert row["latency_ms"] == {"avg": 800.0, "p50": pytest.approx(800, rel=0.02)} | {
        name: pytest.approx(800, rel=0.02) for name in ("p95", "p99")
    }


def test_a_test_token_reads_test_mode_unless_it_asks_for_live(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    secret = secret_of(token_of, "owner", mode=Mode.TEST)
    assert get(secret).json()["totals"]["calls"] == 1
    assert get(secret, "mode=live").json()["totals"]["calls"] == 3


@pytest.mark.parametrize("name", ["owner", "member"])
def test_addresses_are_read_however_they_are_written_as_they_are_reported(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], name: str
) -> None:
    secret = secret_of(token_of, name)
    assert get(secret, "member=Mia@Example.ORG").json()["totals"]["calls"] == 2
    both = get(secret, "member=MIA@example.org&member=mia@example.org&group_by=member").json()
    assert [row["member"] for row in both["rows"]] == ["mia@example.org"]


def test_filters_narrow_the_answer(get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]) -> None:
    secret = secret_of(token_of, "owner")
    assert get(secret, "member=mia@example.org").json()["totals"]["calls"] == 2
    assert get(secret, "model=gpt-4o-mini&model=other").json()["totals"]["calls"] == 3
    assert get(secret, "model=other").json()["rows"] == []
    assert get(secret, "member=mia@example.org&member=adam@example.org").json()["totals"]["calls"] == 3


@pytest.mark.parametrize("model", ["own,model", " own, model", ",", "m" * 127 + ","])
def test_a_model_is_asked_for_by_its_whole_name_with_commas_and_spaces(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], model: str
) -> None:
    token, secret = token_of("owner")
    called = ReportedCall(request_id="own", started_at=NOW - timedelta(hours=1), model=model)
    record_calls([called], by=Caller(token=token), now=NOW)
    asked = urlencode({"group_by": "model", "model": model})
    assert [(row["model"], row["calls"]) for row in get(secret, asked).json()["rows"]] == [(model, 1)]
    assert get(secret, f"{asked}&model=gpt-4o-mini").json()["totals"]["calls"] == 4
    assert get(secret, "model=own&model=model").json()["rows"] == []


def test_divisions_may_have_commas_or_be_repeated(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    secret = secret_of(token_of, "owner")
    answers = [
        get(secret, asked).json()["rows"]
        for asked in (
            "group_by=member,model",
            "group_by=member&group_by=model",
            "group_by=,member, model,member",
        )
    ]
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == 2


GROUPS = [
    ",".join(some) for size in range(1, 5) for some in combinations(("time", "member", "model", "token"), size)
]


@pytest.mark.parametrize("granularity", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("group_by", GROUPS)
def test_the_rows_of_any_division_add_up_to_the_total_and_contain_none(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], group_by: str, granularity: str
) -> None:
    answer = get(secret_of(token_of, "owner"), f"group_by={group_by}&granularity={granularity}").json()
    assert (answer["granularity"], answer["totals"]["calls"]) == (granularity, 3)
    keys = [tuple(row[name] for name in ("time", "member", "model", "token")) for row in answer["rows"]]
    assert len(keys) == len(set(keys))
    for name in ("calls", "succeeded", "unpriced", "input_tokens", "output_tokens", "cached_tokens"):
        assert sum(row[name] for row in answer["rows"]) == answer["totals"][name]
    assert sum(Decimal(row["cost_usd"]) for row in answer["rows"]) == Decimal(answer["totals"]["cost_usd"]) > 0
    for row in answer["rows"]:
        for name in ("time", "member", "model", "token"):
            assert (row[name] is not None) == (name in group_by.split(","))


def test_head_is_answered_as_get_without_a_body(
    client: Client, get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    headers = {"Authorization": f"Bearer {secret_of(token_of, 'owner')}"}
    for path in ("usage", "unusual", "calls", "me"):
        head = client.head(f"/api/v1/{path}", headers=headers)
        assert (head.status_code, head.content) == (200, b"")
    refused = client.post("/api/v1/usage", headers=headers)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


def test_csv_has_the_rows_and_no_total(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    response = get(secret_of(token_of, "owner"), "group_by=member", Accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert {row["member"]: row["calls"] for row in rows} == {"mia@example.org": "2", "adam@example.org": "1"}
    assert rows[0]["latency_ms_p95"]


def test_a_team_key_reads_its_team_and_a_site_key_the_team_it_names(
    get: Callable[..., Any], cast: Cast
) -> None:
    _key, secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
    assert get(secret).json()["totals"]["calls"] == 3
    assert get(secret, f"team={cast.other_team.slug}").status_code == 403
    _key, secret = create_gateway_key(by=SITE, team=None, name="site")
    assert get(secret).status_code == 404
    assert get(secret, f"team={cast.team.slug}").json()["totals"]["calls"] == 3


def test_nobody_reads_another_team_or_another_member(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], cast: Cast
) -> None:
    outsider = secret_of(token_of, "outsider", team=cast.other_team)
    assert get(outsider).json()["totals"]["calls"] == 0
    assert get(outsider, f"team={cast.team.slug}").status_code == 403
    member = secret_of(token_of, "member")
    assert get(member, "member=adam@example.org").status_code == 403
    # Nor whether somebody is in the team, or whether there is such a token.
    assert get(member, "member=nobody@example.org").status_code == 403
    others, own = (Token.objects.filter(user=who).earliest("pk") for who in (cast.administrator, cast.member))
    for token in (others.public_id, "tok_nobody"):
        answer = get(member, f"token={token}")
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"There is no token {token} in this team."
    assert get(member, f"token={own.public_id}").json()["totals"]["calls"] == 2
    # Whether somebody has an account elsewhere on the site is not told either.
    assert get(secret_of(token_of, "owner"), "member=otto@example.org").status_code == 404
    assert get("cb_live_made-up").status_code == 401


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=yesterday", "from"),
        ("from=2026-11-01T00:00:00", "from"),
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("from=2000-01-01&to=2026-01-01", "from"),
        ("from=0001-01-01T00:00:00%2B23:00", "from"),
        ("from=0001-01-01&to=0002-01-01", "to"),
        ("from=0003-05-01T00:00:00Z&to=0004-01-01T00:00:00Z", "to"),
        ("from=9999-12-31&to=9999-12-31T23:59:59Z", "to"),
        ("from=0001-01-01", "from"),
        ("from=2026-11-01&to=2026-11-01", "to"),
        ("granularity=minute", "granularity"),
        ("granularity=hour&from=2020-01-01", "granularity"),
        ("group_by=colour", "group_by"),
        ("mode=both", "mode"),
        ("member=nobody@example.org", "member"),
        ("token=tok_nothing", "token"),
    ],
)
def test_a_bad_parameter_is_named(
    get: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], query: str, param: str
) -> None:
    response = get(secret_of(token_of, "owner"), query)
    assert response.status_code in {400, 404}
    assert response.json()["error"]["param"] == param
