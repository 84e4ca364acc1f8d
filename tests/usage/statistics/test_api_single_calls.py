"""GET /api/v1/usage by tag, channel, provider and outcome: exact, from single calls, and bounded."""

import csv
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from logs.formats.reported import ReportedCall
from logs.integrity.retention import delete_old_calls
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import NOW
from usage.statistics import single_calls

ONE_VALUED = ["channel", "provider", "outcome"]
SUMS = ["calls", "succeeded", "client_errors", "throttled", "server_errors", "unpriced", "input_tokens"]
SUMS += ["output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens"]
WORDS = {200: "succeeded", 404: "client_error", 429: "throttled", 503: "server_error"}


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def some_calls(rng: random.Random, count: int, name: str) -> list[ReportedCall]:
    """Calls of the last 20 days, some at once, with few or no tags, some of them twice."""
    return [
        ReportedCall(
            request_id=f"{name}-{number}",
            started_at=NOW - timedelta(minutes=rng.choice([5, rng.randrange(1, 20 * 24 * 60)])),
            model=rng.choice(["gpt-4o-mini", "gpt-4o", "house-model"]),
            status=rng.choice([200, 200, 404, 429, 503]),
            provider=rng.choice(["", "openai", "azure"]),
            channel=rng.choice(["", "east", "west", "ö, x"]),
            tags=rng.choices(["eval", "nightly", "Ünïcode", "a,b"], k=rng.choice([0, 0, 1, 2, 3])),
            input_tokens=rng.randrange(5_000),
            output_tokens=rng.randrange(500),
            latency_ms=rng.choice([None, rng.randrange(1, 9_000)]),
        )
        for number in range(count)
    ]


@pytest.fixture(params=[1, 2])
def reported(
    request: pytest.FixtureRequest, cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> list[ReportedCall]:
    """The live calls of Mia and Adam; there are others of Mia in test mode."""
    rng = random.Random(request.param)
    live: list[ReportedCall] = []
    for name, mode, count in [
        ("member", Mode.LIVE, 60),
        ("administrator", Mode.LIVE, 40),
        ("member", Mode.TEST, 9),
    ]:
        calls = some_calls(rng, count, f"{name}-{mode}")
        assert record_calls(calls, by=Caller(token=token_of(name, mode=mode)[0]), now=NOW).accepted == count
        live += calls if mode == Mode.LIVE else []
    return live


@pytest.fixture
def get(client: Client, token_of: Callable[..., tuple[Token, str]]) -> Callable[..., Any]:
    """`get("group_by=tag")`: the answer to the owner, or to another of the cast."""

    def ask(
        query: str = "", name: str = "owner", status: int = 200, secret: str | None = None, **headers: Any
    ) -> Any:
        headers |= {"Authorization": f"Bearer {secret or token_of(name)[1]}"}
        response = client.get(f"/api/v1/usage?{query}", headers=headers)
        assert response.status_code == status, response.content
        return response.json() if "Accept" not in headers else response

    return ask


def sums(rows: Any) -> Any:
    """The exact sums of rows: counts and dollars."""
    added = {name: sum(row[name] for row in rows) for name in SUMS}
    return added | {"cost_usd": sum(Decimal(row["cost_usd"]) for row in rows)}


@pytest.mark.parametrize("granularity", ["hour", "day", "week", "month"])
def test_rows_by_each_dimension_add_up_to_the_totals_without_it(
    get: Callable[..., Any], reported: list[ReportedCall], granularity: str
) -> None:
    whole = get()["totals"]
    for dimension in ONE_VALUED:
        for others in ((), ("time",), ("member", "model"), ("time", "token")):
            answer = get(f"group_by={','.join((*others, dimension))}&granularity={granularity}")
            assert sums(answer["rows"]) == sums([whole])
            assert answer["totals"] == whole
            keys = [tuple(row[name] for name in (*others, dimension)) for row in answer["rows"]]
            assert len(keys) == len(set(keys)) > 1


def test_all_together_they_add_up_too(get: Callable[..., Any], reported: list[ReportedCall]) -> None:
    for size in (2, 3):
        for some in combinations(ONE_VALUED, size):
            answer = get(f"group_by={','.join(some)}")
            assert sums(answer["rows"]) == sums([get()["totals"]])


@pytest.mark.parametrize("dimension", [*ONE_VALUED, "tag"])
def test_a_row_is_what_the_filter_by_its_value_gives(
    get: Callable[..., Any], reported: list[ReportedCall], dimension: str
) -> None:
    answer = get(f"group_by={dimension}")
    for row in answer["rows"]:
        if row[dimension] is not None:
            filtered = get(urlencode({"group_by": "model", dimension: row[dimension]}))
            assert filtered["totals"] == {
                name: value for name, value in row.items() if name in filtered["totals"]
            }


def test_rows_have_the_calls_that_were_reported(get: Callable[..., Any], reported: list[ReportedCall]) -> None:
    for dimension, of in [
        ("channel", lambda call: call.channel or None),
        ("provider", lambda call: call.provider or None),
        ("outcome", lambda call: WORDS[call.status]),
    ]:
        rows = get(f"group_by={dimension}")["rows"]
        assert {row[dimension]: row["calls"] for row in rows} == Counter(map(of, reported))


def test_a_call_is_in_the_row_of_each_of_its_tags_and_once_in_the_totals(
    get: Callable[..., Any], reported: list[ReportedCall]
) -> None:
    answer = get("group_by=tag")
    expected = Counter(tag for call in reported for tag in set(call.tags) or {None})
    assert {row["tag"]: row["calls"] for row in answer["rows"]} == expected
    assert answer["totals"] == get()["totals"]
    assert sum(expected.values()) > answer["totals"]["calls"]


def test_tags_are_filtered_by_any_and_only_those_have_rows(
    get: Callable[..., Any], reported: list[ReportedCall]
) -> None:
    wanted = {"eval", "a,b"}
    answer = get(urlencode([("group_by", "tag"), *(("tag", tag) for tag in wanted)]))
    assert {row["tag"] for row in answer["rows"]} == wanted
    assert answer["totals"]["calls"] == sum(bool(wanted & set(call.tags)) for call in reported)
    assert get("tag=nobody")["totals"]["calls"] == 0


def test_filters_narrow_together_and_by_time(get: Callable[..., Any], reported: list[ReportedCall]) -> None:
    asked = {"provider": "openai", "outcome": "succeeded", "tag": "eval", "model": "gpt-4o"}
    meant = [
        call
        for call in reported
        if (call.provider, call.status, call.model) == ("openai", 200, "gpt-4o") and "eval" in call.tags
    ]
    assert get(urlencode(asked))["totals"]["calls"] == len(meant)
    since = NOW - timedelta(days=9, hours=5, minutes=7)
    recent = [call for call in reported if call.provider == "azure" and call.started_at >= since]
    query = urlencode({"provider": "azure", "from": since.isoformat(), "granularity": "hour"})
    answer = get(query)
    assert answer["totals"]["calls"] == len(recent) == sum(row["calls"] for row in answer["rows"])
    both = get("outcome=throttled&outcome=server_error&group_by=outcome")["rows"]
    assert {row["outcome"] for row in both} == {"throttled", "server_error"}


def test_percentiles_are_those_of_the_calls(get: Callable[..., Any], reported: list[ReportedCall]) -> None:
    (row,) = get("group_by=provider&provider=azure")["rows"]
    known = sorted(call.latency_ms for call in reported if call.provider == "azure" and call.latency_ms)
    assert row["latency_ms"]["avg"] == pytest.approx(sum(known) / len(known), abs=0.06)
    assert row["latency_ms"]["p50"] == pytest.approx(known[(len(known) - 1) // 2], rel=0.05)


def test_members_see_their_own_and_test_tokens_test_mode(
    get: Callable[..., Any],
    cast: Cast,
    reported: list[ReportedCall],
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    own = [call for call in reported if call.request_id.startswith("member")]
    assert get("group_by=tag,outcome", name="member")["totals"]["calls"] == len(own)
    secret = token_of("member", mode=Mode.TEST)[1]
    assert get("group_by=channel", secret=secret)["totals"]["calls"] == 9
    _key, site = create_gateway_key(by=SITE, team=None, name="site")
    assert get(f"team={cast.team.slug}&group_by=provider", secret=site)["totals"]["calls"] == len(reported)
    assert get("group_by=provider", secret=token_of("outsider", team=cast.other_team)[1])["rows"] == []


def test_rows_have_these_dimensions_only_when_divided_by_them(
    get: Callable[..., Any], reported: list[ReportedCall]
) -> None:
    names = ["time", "member", "model", "token"]
    assert [name for name in get("group_by=model")["rows"][0] if name in {*names, "tag", *ONE_VALUED}] == names
    row = get("group_by=outcome,tag")["rows"][0]
    assert [name for name in row if name in {*names, "tag", *ONE_VALUED}] == [*names, "tag", "outcome"]


def test_csv_has_the_rows_also_when_there_are_none(
    get: Callable[..., Any], reported: list[ReportedCall]
) -> None:
    response = get("group_by=channel,outcome", Accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert sum(int(row["calls"]) for row in rows) == len(reported)
    assert {row["channel"] for row in rows} == {"", "east", "west", "ö, x"}
    empty = get("group_by=channel&channel=nowhere", Accept="text/csv").content.decode()
    assert empty.splitlines()[0] == response.content.decode().splitlines()[0].replace(",outcome", "")


@pytest.mark.parametrize(
    "query", ["group_by=tag", "group_by=channel,time", "provider=openai", "outcome=succeeded"]
)
def test_beyond_what_is_kept_the_beginning_is_refused_or_moved(
    get: Callable[..., Any], reported: list[ReportedCall], settings: Settings, query: str
) -> None:
    settings.CALL_RETENTION_DAYS = 7
    assert delete_old_calls(now=NOW) > 0
    response = get(f"{query}&from=2026-10-25", status=400)
    assert response["error"]["param"] == "from"
    assert "no longer kept" in response["error"]["message"]
    response = get(f"{query}&to=2026-11-05", status=400)
    assert response["error"]["param"] == "to"
    # Not asked for, the time begins where single calls do.
    answer = get(query)
    assert answer["from"] == "2026-11-12T23:00:00Z"
    assert 0 < answer["totals"]["calls"] <= get("from=2026-11-12T23:00:00Z")["totals"]["calls"]
    assert get("from=2026-10-25")["totals"]["calls"] == len(reported)


def test_more_calls_than_can_be_counted_are_refused_with_what_to_do(
    get: Callable[..., Any], reported: list[ReportedCall], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_calls, "MOST_CALLS", 99)
    error = get("group_by=tag", status=400)["error"]
    assert error["param"] == "from"
    assert "99 calls" in error["message"]
    assert "these are 100" in error["message"]
    # What rollups know makes it less; what they do not know may not hide how many are read.
    get("group_by=tag&provider=azure", status=400)
    get("group_by=tag&member=mia@example.org")
    get("group_by=tag&from=2026-11-18")
    get("group_by=member,model,token,time")


def test_more_rows_than_are_answered_are_refused(
    get: Callable[..., Any], reported: list[ReportedCall], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_calls, "MOST_ROWS", 3)
    assert get("group_by=channel,provider", status=400)["error"]["param"] == "group_by"
    assert len(get("group_by=provider")["rows"]) == 3


@pytest.mark.parametrize(
    ("query", "param"),
    [("outcome=fine", "outcome"), ("outcome=succeeded&outcome=0", "outcome"), ("group_by=tags", "group_by")],
)
def test_a_wrong_value_is_named(get: Callable[..., Any], cast: Cast, query: str, param: str) -> None:
    assert get(query, status=400)["error"]["param"] == param


@pytest.mark.parametrize("value", ["x" * 5_000, "%", "' OR 1=1 --", "\ud800".encode("utf-8", "surrogatepass")])
def test_odd_values_find_nothing(
    get: Callable[..., Any], reported: list[ReportedCall], value: str | bytes
) -> None:
    for name in ("tag", "channel", "provider"):
        assert get(urlencode({name: value, "group_by": name}))["totals"]["calls"] == 0
