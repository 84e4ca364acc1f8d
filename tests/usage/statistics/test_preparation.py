"""What is known of the rest of a question's last day, and that answers are the same with and without."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from usage.rollups.figures import Figures, fill_percentiles
from usage.rollups.query import Dimension, Range, UsageQuery
from usage.rollups.reader import Key, cells
from usage.statistics.preparation import prepared

# In Berlin 13:00 and the following midnight.
END = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
START = END - timedelta(days=3, hours=5)


@pytest.fixture
def call(token_of: Callable[..., tuple[Token, str]]) -> Callable[..., None]:
    """`call(END - HOUR)`: a call at that time."""

    def record(at: datetime, name: str = "member", mode: Mode = Mode.LIVE) -> None:
        reported = ReportedCall(
            request_id=f"{name}-{at:%d%H%M%S}", started_at=at, model="gpt-4o", latency_ms=at.hour * 50 + 9
        )
        record_calls([reported], by=Caller(token=token_of(name, mode=mode)[0]), now=at + timedelta(minutes=1))

    return record


def question(cast: Cast, end: datetime = END, **more: Any) -> UsageQuery:
    return UsageQuery(cast.team, Mode.LIVE, Range(START, end), **more)


def quiet(query: UsageQuery) -> Range | None:
    return prepared([query], END)[0].quiet


def test_a_rest_of_the_day_without_calls_is_quiet(cast: Cast, call: Callable[..., None]) -> None:
    call(END - timedelta(seconds=1))
    call(MIDNIGHT)
    assert quiet(question(cast)) == Range(END, MIDNIGHT)


@pytest.mark.parametrize("at", [END, END + timedelta(minutes=7), MIDNIGHT - timedelta(seconds=1)])
def test_one_with_a_call_is_not_whoever_made_it(cast: Cast, call: Callable[..., None], at: datetime) -> None:
    call(at)
    assert quiet(question(cast)) is None
    assert quiet(question(cast, members=(cast.owner.pk,), models=("other",))) is None


def test_calls_of_another_mode_do_not_disturb_it(cast: Cast, call: Callable[..., None]) -> None:
    call(END, mode=Mode.TEST)
    assert quiet(question(cast)) == Range(END, MIDNIGHT)


@pytest.mark.parametrize("end", [MIDNIGHT, END + timedelta(minutes=30)])
def test_an_end_at_midnight_or_within_an_hour_is_not_looked_at(cast: Cast, end: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert quiet(question(cast, end)) is None
    assert not [one for one in queries.captured_queries if "hourmodel" in one["sql"]]


def test_several_teams_are_looked_at_in_one_statement(
    cast: Cast, call: Callable[..., None], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call(END)
    other = UsageQuery(cast.other_team, Mode.LIVE, Range(START, END))
    with django_assert_num_queries(1):
        busy, empty = prepared([question(cast), other], END)
    assert busy.quiet is None
    assert empty.quiet is not None
    assert prepared([], END) == []


def figures(query: UsageQuery, by: Dimension, ranges: list[Range]) -> list[dict[Key, Figures]]:
    """The answer with percentiles worked out, and without the sketches, of which there are fewer."""
    found = cells(query, [by], ranges)
    for part in found:
        fill_percentiles(list(part.values()))
    return [
        {key: replace(one, latency_sketches=[], ttft_sketches=[]) for key, one in part.items()}
        for part in found
    ]


@pytest.mark.parametrize("by", [Dimension.MEMBER, Dimension.TOKEN, Dimension.MODEL, Dimension.TIME])
def test_the_answer_is_the_same_with_a_quiet_end(cast: Cast, call: Callable[..., None], by: Dimension) -> None:
    for hours in range(0, 80, 7):
        call(END - timedelta(hours=hours, minutes=3), name="member" if hours % 2 else "owner")
    call(MIDNIGHT + timedelta(hours=1))
    plain = question(cast)
    (known,) = prepared([plain], END)
    assert known.quiet
    earlier = Range(START - (END - START), START)
    assert figures(known, by, [known.range, earlier]) == figures(plain, by, [plain.range, earlier])


def test_only_a_range_that_ends_where_the_quiet_begins_is_read_along(
    cast: Cast, call: Callable[..., None]
) -> None:
    call(END - timedelta(hours=2))
    (known,) = prepared([question(cast)], END)
    shorter = Range(START, END - timedelta(hours=3))
    assert cells(known, [Dimension.MEMBER], [shorter]) == [{}]
