"""Calls that are reported at $0 although their tokens have a price: counted, and shown to those who can mend it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from logs.models import Call
from logs.recording.amend import Amendment, amend_calls
from teams.actions.locks import lock_teams
from teams.models import Mode
from tests.conftest import Cast
from tests.logs.conftest import NOW, record
from usage.prices.models import Price, PricedBy, ZeroReport

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(post: Callable[..., Any], mia: str) -> Callable[..., Any]:
    """`send("r1", field=value, …)`: a call of Mia's, reported at $0 unless said."""
    return lambda request_id, **fields: post(mia, record(request_id, **{"cost_usd": 0, **fields}))


def counted() -> list[tuple[str, int, int]]:
    return sorted(ZeroReport.objects.values_list("model", "calls", "worth_nanos"))


def test_calls_at_0_of_a_priced_model_are_counted_with_what_they_would_cost(send: Callable[..., Any]) -> None:
    send("a")
    send("b")
    send("c", model="gpt-5", response_model="gpt-4o-mini")
    assert counted() == [("gpt-4o-mini", 2, 900_000), ("gpt-5", 1, 450_000)]
    assert set(Call.objects.values_list("cost_nanos", "priced_by")) == {(0, PricedBy.REPORT)}


def test_a_site_price_is_a_price_too(send: Callable[..., Any]) -> None:
    since = timezone.now() - timedelta(days=1)
    Price.objects.create(model="house", input_usd=Decimal(3), output_usd=Decimal(0), valid_from=since)
    send("a", model="house")
    assert counted() == [("house", 1, 3_000_000)]


@pytest.mark.parametrize(
    "fields",
    [
        {"cost_usd": "0.01"},
        {"cost_usd": None},
        {"model": "house-model"},
        {"provider": "ollama"},
        {"input_tokens": 0, "output_tokens": 0},
        {"status": 500},
        {"metadata": {"cache_hit": True}},
    ],
    ids=str,
)
def test_what_rightly_costs_nothing_is_not_counted(send: Callable[..., Any], fields: Any) -> None:
    assert send("a", **fields).json()["accepted"] == 1
    assert counted() == []


def test_a_call_that_is_sent_again_is_counted_once(send: Callable[..., Any]) -> None:
    send("a")
    send("a")
    assert counted() == [("gpt-4o-mini", 1, 450_000)]


def test_the_count_follows_a_call_that_is_amended_or_removed(cast: Cast, send: Callable[..., Any]) -> None:
    send("a")
    send("b")
    first, second = Call.objects.order_by("request_id")
    for call, values in [(first, {"input_tokens": 2000}), (second, None)]:
        lock_teams([cast.team.pk])
        amend_calls(team=cast.team, mode=Mode.LIVE, amendments=[Amendment(call, values)], now=NOW)
    assert counted() == [("gpt-4o-mini", 1, 600_000)]


# --- The notice on the overview -----------------------------------------------------------------


def overview(client_of: Any, who: str, slug: str, query: str = "") -> str:
    return client_of(who).get(f"/t/{slug}/?{query}").content.decode()


@pytest.mark.parametrize("who", ["owner", "administrator"])
def test_who_manages_the_team_is_told(
    cast: Cast, send: Callable[..., Any], client_of: Callable[..., Client], who: str
) -> None:
    send("a")
    send("b", model="gpt-4o", input_tokens=1_000_000, output_tokens=0)
    page = overview(client_of, who, cast.team.slug)
    assert "One call of gpt-4o was reported at $0; by list $2.50." in page
    assert page.index("gpt-4o was") < page.index("gpt-4o-mini was")
    assert "In the last 30 days" in page


def test_a_member_is_not_told(cast: Cast, send: Callable[..., Any], client_of: Callable[..., Client]) -> None:
    send("a")
    assert "reported at $0" not in overview(client_of, "member", cast.team.slug)


def test_each_mode_tells_its_own(
    cast: Cast, send: Callable[..., Any], client_of: Callable[..., Client]
) -> None:
    send("a")
    assert "reported at $0" not in overview(client_of, "owner", cast.team.slug, "mode=test")


def test_nothing_is_told_of_more_than_30_days_ago(
    cast: Cast, send: Callable[..., Any], client_of: Callable[..., Client]
) -> None:
    send("a")
    ZeroReport.objects.update(day=timezone.now().date() - timedelta(days=31))
    send("b", cost_usd="0.1")
    assert "reported at $0" not in overview(client_of, "owner", cast.team.slug)
