"""The statistics against a recount of the calls: any range, filters, zone and division agree."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.actions.tokens import create_token
from teams.activity import SITE
from teams.models import Mode
from tests.conftest import Cast
from usage.rollups.figures import Figures, fill_percentiles
from usage.rollups.models import Outcome
from usage.rollups.query import Dimension, Granularity, Range, UsageQuery, bucket_start
from usage.rollups.reader import cells
from usage.rollups.statements import CALLS, FILTER_COLUMNS, KEYS

# Daylight saving ends in this span in Berlin and New York, and begins in Lord Howe's half-hour way.
FIRST = datetime(2026, 10, 1, 3, 7, tzinfo=UTC)
DAYS = 40
TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
MODELS = ["gpt-4o-mini", "claude-sonnet-4-5", "house-model"]
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]


@pytest.fixture
def recorded(cast: Cast) -> Callable[..., None]:
    """400 calls of three people with two tokens each, over 40 days, in a zone drawn by each example."""

    def record(zone: str) -> None:
        cast.team.time_zone = zone
        cast.team.save(update_fields=["time_zone"])
        rng = random.Random(7)
        tokens = [
            create_token(by=SITE, team=cast.team, user=user, name=f"t{n}")[0]
            for user in (cast.owner, cast.administrator, cast.member)
            for n in range(2)
        ]
        key, _secret = create_gateway_key(by=SITE, team=cast.team, name="proxy")
        calls = [_call(rng, index, rng.choice(tokens).public_id) for index in range(400)]
        for start in range(0, 400, 90):
            record_calls(calls[start : start + 90], by=Caller(gateway_key=key), now=FIRST)

    return record


def _call(rng: random.Random, index: int, token: str) -> ReportedCall:
    return ReportedCall(
        request_id=f"r{index}",
        started_at=FIRST + timedelta(seconds=rng.random() * DAYS * 86400),
        model=rng.choice(MODELS),
        status=rng.choice([200, 200, 200, 400, 429, 500]),
        input_tokens=rng.randrange(5000),
        output_tokens=rng.randrange(900),
        cached_tokens=rng.randrange(100),
        cache_write_tokens=rng.randrange(50),
        reasoning_tokens=rng.randrange(100),
        latency_ms=rng.choice([None, int(rng.lognormvariate(6.5, 1.2))]),
        ttft_ms=rng.choice([None, rng.randrange(900)]),
        token=token,
        provider=rng.choice(["", "openai"]),
        channel=rng.choice(["", "east", "west"]),
        tags=rng.choices(["a", "b", "c,d"], k=rng.choice([0, 1, 3])),
    )


HOUR = FIRST.replace(minute=0)
instants = st.integers(0, DAYS * 24 * 60).map(lambda minutes: HOUR + timedelta(minutes=minutes))
aligned = st.integers(0, DAYS).map(lambda days: HOUR.replace(hour=0) + timedelta(days=days))


@pytest.mark.parametrize("zone", ZONES)
def test_every_question_is_answered_as_a_recount_of_the_calls_answers_it(
    cast: Cast, recorded: Callable[..., None], zone: str
) -> None:
    recorded(zone)
    rows = list(Call.objects.all())

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        ends=st.tuples(instants | aligned, instants | aligned),
        by=st.sets(st.sampled_from(list(Dimension))).map(sorted),
        granularity=st.sampled_from(list(Granularity)),
        members=st.sets(st.sampled_from([cast.owner.pk, cast.member.pk])).map(tuple),
        models=st.sets(st.sampled_from(MODELS), max_size=2).map(tuple),
        tokens=st.sets(st.sampled_from(sorted({call.token_id for call in rows})), max_size=3).map(tuple),
        of_single_calls=st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "tags": st.sets(st.sampled_from(["a", "c,d", "none has it"])).map(tuple),
                "channels": st.sets(st.sampled_from(["east", "west"])).map(tuple),
                "providers": st.just(("openai",)),
                "outcomes": st.sets(st.sampled_from([outcome.value for outcome in Outcome])).map(tuple),
            },
        ),
    )
    def check(
        ends: Any, by: Any, granularity: Any, members: Any, models: Any, tokens: Any, of_single_calls: Any
    ) -> None:
        start, end = sorted(ends)
        query = UsageQuery(
            team=cast.team,
            mode=Mode.LIVE,
            range=Range(start, end),
            granularity=granularity,
            members=members,
            models=models,
            tokens=tokens,
            **(of_single_calls or {}),
        )
        found = cells(query, by, [query.range])[0]
        expected = _recount(rows, query, by)
        assert {key: _numbers(figures) for key, figures in found.items()} == {
            key: _expected_numbers(calls) for key, calls in expected.items()
        }

    check()


def _recount(rows: Any, query: Any, by: Any) -> Any:
    """The calls of each key; one of several tags is in the key of each."""
    found = defaultdict(list)
    for call in rows:
        if call.started_at not in query.range or not _is_asked_for(call, query):
            continue
        values = {
            Dimension.TIME: bucket_start(call.started_at, query.granularity, query.zone),
            **{dimension: getattr(call, name) for dimension, name in FILTER_COLUMNS.items()},
        }
        tags = set(call.tags) & set(query.tags) if query.tags else set(call.tags) or {""}
        for tag in tags if Dimension.TAG in by else [""]:
            values[Dimension.TAG] = tag
            found[tuple(values[dimension] for dimension in by)].append(call)
    return found


def _is_asked_for(call: Any, query: Any) -> Any:
    if query.tags and not set(query.tags) & set(call.tags):
        return False
    filters = {name: query.values_of(dimension) for dimension, name in FILTER_COLUMNS.items()}
    return all(getattr(call, name) in values for name, values in filters.items() if values)


def _numbers(
    figures: Any,
) -> (
    "tuple[Any, tuple[Any, Any, Any, Any], Any, Any, Any, tuple[Any, Any, Any, Any], list[_Near], list[_Near]]"
):
    fill_percentiles([figures])
    return (
        figures.calls,
        (figures.succeeded, figures.client_errors, figures.throttled, figures.server_errors),
        tuple(getattr(figures, name) for name in TOKENS),
        figures.cost_nanos,
        figures.unpriced,
        (figures.latency_sum_ms, figures.latency_count, figures.ttft_sum_ms, figures.ttft_count),
        [_Near(value) for value in astuple(figures.latency)],
        [_Near(value) for value in astuple(figures.ttft)],
    )


def _expected_numbers(
    calls: Any,
) -> "tuple[int, Any, Any, Any, Any, tuple[Any, int, Any, int], list[_Near], list[_Near]]":
    outcomes = Counter(call.outcome for call in calls)
    latencies = sorted(call.latency_ms for call in calls if call.latency_ms is not None)
    ttfts = sorted(call.ttft_ms for call in calls if call.ttft_ms is not None)
    return (
        len(calls),
        tuple(outcomes[kind] for kind in range(4)),
        tuple(sum(getattr(call, name) for call in calls) for name in TOKENS),
        sum(call.cost_nanos for call in calls),
        sum(call.priced_by == 0 for call in calls),
        (sum(latencies), len(latencies), sum(ttfts), len(ttfts)),
        _percentiles(latencies),
        _percentiles(ttfts),
    )


def _percentiles(values: Any) -> "list[_Near]":
    """Of sorted values the least that 50, 95 and 99 % do not pass."""
    return [_Near(values[-(-len(values) * share // 100) - 1] if values else None) for share in (50, 95, 99)]


class _Near:
    """Equal within 2 %, what a percentile promises."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: Any) -> bool:
        if self.value is None or other.value is None:
            return self.value is other.value
        return abs(self.value - other.value) <= 0.02 * max(self.value, other.value)

    __hash__ = None

    def __repr__(self) -> str:
        return f"≈{self.value}"


def test_the_previous_period_is_answered_in_the_same_statements(
    cast: Cast, recorded: Callable[..., None], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    recorded("Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    middle = datetime(2026, 10, 20, tzinfo=zone)
    ranges = [Range(middle, middle + timedelta(days=10)), Range(middle - timedelta(days=10), middle)]
    query = UsageQuery(team=cast.team, mode=Mode.LIVE, range=ranges[0])
    with django_assert_num_queries(1):
        now, before = cells(query, [Dimension.MODEL], ranges)
    for found, one in ((now, ranges[0]), (before, ranges[1])):
        expected = Counter(call.model for call in Call.objects.all() if call.started_at in one)
        assert {key[0]: figures.calls for key, figures in found.items()} == expected


def test_of_a_range_of_which_only_the_keys_are_asked_nothing_is_counted(
    cast: Cast, recorded: Callable[..., None]
) -> None:
    """Also where they come from single calls: no table knows tokens by the hour, or anything by the minute."""
    recorded("Europe/Berlin")
    middle = datetime(2026, 10, 20, 11, 13, tzinfo=ZoneInfo("Europe/Berlin"))
    ranges = [Range(middle, middle + timedelta(days=9)), Range(middle - timedelta(days=9), middle)]
    query = UsageQuery(team=cast.team, mode=Mode.LIVE, range=ranges[0])
    for by, name in ((Dimension.TOKEN, "token_id"), (Dimension.MEMBER, "member_id")):
        now, before = cells(query, [by], ranges, depths=(CALLS, KEYS))
        counted = [
            Counter(getattr(call, name) for call in Call.objects.all() if call.started_at in one)
            for one in ranges
        ]
        assert {key: figures.calls for (key,), figures in now.items()} == counted[0]
        assert {key for (key,) in before} == set(counted[1])
        assert all(figures == Figures() for figures in before.values())
