"""Weeks of ordinary use of the fixed cast, and incidents in it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.tokens import create_token
from teams.activity import SITE
from teams.models import Mode, Token
from tests.conftest import Cast
from usage.rollups.buckets import day_of, hour_of
from usage.rollups.folding import Fact, add_calls

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)  # a Friday; 13:30 in Berlin
LUNCH = datetime(2026, 11, 19, 11, 0, tzinfo=UTC)  # Thursday 12:00 in Berlin
WEEKS = 4


@pytest.fixture
def at_noon() -> Iterator[None]:
    """The clock stands on a Friday at 13:30 of the team's time."""
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def tokens(cast: Cast) -> dict[str, Token]:
    """A token of each person who calls, and a second one of Mia's."""
    return {
        name: create_token(by=SITE, team=cast.team, user=cast.user(person), name=name)[0]
        for name, person in [
            ("owner", "owner"),
            ("administrator", "administrator"),
            ("member", "member"),
            ("script", "member"),
        ]
    }


@pytest.fixture
def usual(cast: Cast, tokens: dict[str, Token]) -> None:
    """Four weeks in which three people call from 9 to 18 on workdays, two of them with half the calls each."""
    zone, start = cast.team.zone, NOW - timedelta(weeks=WEEKS)
    callers = [tokens[name] for name in ("owner", "administrator", "member")]
    facts = []
    for hour in range(WEEKS * 168):
        at = hour_of(start + timedelta(hours=hour), zone)
        local = at.astimezone(zone)
        busy = 9 <= local.hour < 18 and local.weekday() < 5
        for index in range(24 + hour % 5 if busy else 1):
            token = callers[index % 3]
            facts.append(_fact(at, day_of(at, zone), token, index, is_failed=(hour + index) % 60 == 0))
    add_calls(team_id=cast.team.pk, mode=Mode.LIVE, facts=facts)


def _fact(at: Any, day: Any, token: Any, index: Any, *, is_failed: bool) -> Fact:
    return Fact(
        hour=at,
        day=day,
        member_id=token.user_id,
        token_id=token.pk,
        model="gpt-4o-mini" if index % 2 else "claude-sonnet-4-5",
        outcome=3 if is_failed else 0,
        unpriced=0,
        input_tokens=1000,
        output_tokens=100,
        cached_tokens=0,
        cache_write_tokens=0,
        reasoning_tokens=0,
        cost_nanos=1_000_000,
        latency_ms=600 + 40 * (index % 12),
        ttft_ms=-1,
    )


@pytest.fixture
def happen(tokens: dict[str, Token]) -> Callable[..., None]:
    """`happen("script", 400)`: so many calls with that token in the hour from `at`; any field changed."""

    def record(name: str, count: int, at: datetime = LUNCH, **fields: Any) -> None:
        calls = [
            ReportedCall(
                request_id=f"{name}-{at:%d%H}-{index}",
                started_at=at + timedelta(seconds=3500 * index / count),
                **{
                    "model": "gpt-4o-mini",
                    "input_tokens": 1000,
                    "output_tokens": 100,
                    "latency_ms": 700,
                    **fields,
                },
            )
            for index in range(count)
        ]
        record_calls(calls, by=Caller(token=tokens[name]), now=NOW)

    return record


@pytest.fixture
def runaway(usual: None, happen: Callable[..., None]) -> None:
    """Mia's script calls a thousand times at lunch."""
    happen("script", 1000)
