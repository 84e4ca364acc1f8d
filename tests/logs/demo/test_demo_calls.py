"""The demo's calls, without a database: the same for the same seed and time, and like life."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from logs.demo.catalogue import EMBEDDING, MODELS
from logs.demo.generate import SEED, live
from logs.demo.incidents import RUNAWAY_PERSON, Kind, incidents_until
from logs.demo.people import RESEARCH, TEAMS, everybody
from logs.demo.sources import make_sources
from teams.models import Mode
from usage.prices.models import PricedBy
from usage.prices.price_list import public_price
from usage.prices.public_list import ModelNames
from usage.prices.rates import Tokens

NOW = datetime(2025, 11, 20, 15, 40, tzinfo=UTC)


def calls_of(now: datetime = NOW, seed: int = SEED, days: int = 7, scale: float = 0.02) -> list[Any]:
    life = live(make_sources(seed), now=now, seed=seed, days=days, scale=scale)
    return [call for batch in life.batches(lambda source: f"tok_{source.number}") for call in batch]


def test_the_same_seed_and_time_make_the_same_calls() -> None:
    assert calls_of() == calls_of()


def test_another_seed_makes_other_calls() -> None:
    assert calls_of() != calls_of(seed=1)


def test_ninety_days_hold_about_150_000_calls_and_none_in_the_future() -> None:
    life = live(make_sources(SEED), now=NOW)
    assert 140_000 < life.total < 165_000
    calls = calls_of()
    assert all(NOW - timedelta(days=8) < call.started_at < NOW for call in calls)


def test_request_ids_are_unique() -> None:
    calls = calls_of(scale=0.2)
    assert len({call.request_id for call in calls}) == len(calls)


def test_a_batch_is_one_context_in_the_order_of_time() -> None:
    sources = make_sources(SEED)
    context_of = {f"tok_{source.number}": source.context for source in sources}
    life = live(sources, now=NOW, days=7, scale=0.2)
    for batch in life.batches(lambda source: f"tok_{source.number}"):
        assert len({context_of[call.token] for call in batch}) == 1
        assert [call.started_at for call in batch] == sorted(call.started_at for call in batch)


def test_there_are_teams_of_40_and_12_and_3_with_one_address_for_each_person() -> None:
    sizes = [sum(person.left_days_ago is None for person in plan.people) for plan in TEAMS]
    assert sizes == [40, 12, 3]
    assert all(email.isascii() and email.endswith("@example.org") for email in everybody())
    assert len(everybody()) == len(set(everybody().values()))


def test_everybody_has_one_to_three_live_tokens_in_a_team() -> None:
    live_tokens = Counter(
        (source.team, source.email)
        for source in make_sources(SEED)
        if source.team and source.app.mode is Mode.LIVE
    )
    assert set(live_tokens) == {(plan.slug, person.email) for plan in TEAMS for person in plan.people}
    assert set(live_tokens.values()) <= {1, 2, 3}


@pytest.mark.parametrize("name", MODELS)
def test_each_model_has_a_public_price_but_the_embedding(name: Any) -> None:
    price = public_price(ModelNames(name, MODELS[name].provider), NOW, Tokens(1000, 1000))
    assert price.by is (PricedBy.NOTHING if name == EMBEDDING else PricedBy.LIST)


def test_numbers_of_each_call_make_sense() -> None:
    for call in calls_of(days=30, scale=0.1):
        assert call.cached_tokens + call.cache_write_tokens <= call.input_tokens
        assert call.reasoning_tokens <= call.output_tokens
        assert call.latency_ms is None or call.latency_ms >= (call.ttft_ms or 0)
        assert call.ttft_ms is None or (call.stream and call.latency_ms is not None)
        assert len(call.error_message) <= 1000
        assert (call.status >= 400) <= call.has_error


def test_every_kind_of_failure_happens() -> None:
    statuses = {call.status for call in calls_of(days=30, scale=0.3) if call.has_error}
    assert {200, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504, 529} <= statuses


def test_nights_and_weekends_are_quiet_in_the_teams_own_zone() -> None:
    zone = ZoneInfo(RESEARCH.time_zone)
    sources = {f"tok_{source.number}": source for source in make_sources(SEED)}
    local = [
        call.started_at.astimezone(zone)
        for call in calls_of(days=28, scale=0.1)
        if sources[call.token].team == RESEARCH.slug and sources[call.token].app.hours == "office"
    ]
    workdays = Counter(at.hour for at in local if at.weekday() < 5)
    assert workdays[10] > 20 * workdays[3]
    assert sum(at.weekday() >= 5 for at in local) < len(local) * 0.1


def test_incidents_happen_on_workdays_before_now() -> None:
    for incident in incidents_until(NOW):
        zone = ZoneInfo(next(plan.time_zone for plan in TEAMS if plan.slug == incident.team))
        assert incident.start.astimezone(zone).weekday() < 5
        assert incident.start < incident.end <= NOW


def test_a_script_runs_away_and_an_outage_is_silent() -> None:
    sources = {f"tok_{source.number}": source for source in make_sources(SEED)}
    calls = [c for c in calls_of(days=60, scale=0.1) if sources[c.token].team == RESEARCH.slug]
    runaway, outage = (
        next(i for i in incidents_until(NOW) if i.kind is kind and i.team == RESEARCH.slug)
        for kind in (Kind.RUNAWAY, Kind.OUTAGE)
    )
    meanwhile = [c for c in calls if runaway.start <= c.started_at < runaway.end]
    of_script = [c for c in meanwhile if sources[c.token].email == RUNAWAY_PERSON]
    assert len(of_script) > 0.5 * len(meanwhile)
    assert not [c for c in calls if outage.start <= c.started_at < outage.end]


def test_who_left_calls_no_more_and_who_joined_did_not_call_before() -> None:
    sources = {f"tok_{source.number}": source for source in make_sources(SEED)}
    for call in calls_of(days=40, scale=0.1):
        source, age = sources[call.token], NOW - call.started_at
        assert source.left_days_ago is None or age > timedelta(days=source.left_days_ago - 1)
        assert source.joined_days_ago is None or age < timedelta(days=source.joined_days_ago + 1)
