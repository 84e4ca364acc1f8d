"""Sums of times past that a process keeps: found again, given up when the past changes, never wrong."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from logs.formats.reported import ReportedCall
from logs.integrity.recount import rebuild_team
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from usage.rollups.cache import FRESH, SETTLED, ProcessCache, stamp_past
from usage.rollups.figures import Figures
from usage.rollups.models import PastStamp
from usage.rollups.query import Dimension, Granularity, Range, UsageQuery
from usage.rollups.reader import Key, cells
from usage.rollups.sketch import merged
from usage.statistics.preparation import prepared

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
END = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = NOW - 10 * DAY


@pytest.fixture(autouse=True)
def clock(db: None) -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def call(token_of: Callable[..., tuple[Token, str]]) -> Callable[..., None]:
    """`call(at)`: a call of Mia's at that time, reported now."""
    token, _secret = token_of("member")

    def record(at: datetime, mode: Mode = Mode.LIVE) -> None:
        reported = ReportedCall(
            request_id=f"{at.timestamp()}-{random.random()}", started_at=at, model="gpt-4o", latency_ms=900
        )
        record_calls([reported], by=Caller(token=token), now=NOW)

    return record


def question(cast: Cast, *, team: Team | None = None, **more: Any) -> UsageQuery:
    asked = UsageQuery(team or cast.team, Mode.LIVE, Range(END - 30 * DAY, END), **more)
    return prepared([asked], NOW)[0]


def figures(query: UsageQuery, by: Dimension = Dimension.MEMBER) -> dict[Key, Figures]:
    return cells(query, [by], [query.range])[0]


def count(cast: Cast, **more: Any) -> int:
    return sum((one.calls for one in figures(question(cast, **more)).values()), 0)


def stamp(cast: Cast) -> int | None:
    return (
        PastStamp.objects.filter(team_id=cast.team.pk, mode=Mode.LIVE).values_list("stamp", flat=True).first()
    )


def queries_about(query: UsageQuery, by: Dimension = Dimension.MEMBER) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        figures(query, by)
    return [one["sql"] for one in captured.captured_queries]


def test_what_is_over_is_read_once(cast: Cast, call: Callable[..., None]) -> None:
    call(LONG_AGO)
    query = question(cast)
    (first,) = queries_about(query)
    (again,) = queries_about(query)
    assert len(again) < len(first)
    assert count(cast) == 1


def test_without_a_page_nothing_is_kept(cast: Cast, call: Callable[..., None]) -> None:
    call(LONG_AGO)
    plain = UsageQuery(cast.team, Mode.LIVE, Range(END - 30 * DAY, END))
    assert queries_about(plain) == queries_about(plain)


def test_a_call_of_now_is_there_at_once_and_gives_no_new_stamp(cast: Cast, call: Callable[..., None]) -> None:
    call(LONG_AGO)
    before = stamp(cast)
    assert count(cast) == 1
    call(NOW)
    call(NOW - FRESH + timedelta(hours=1))
    assert count(cast) == 3
    assert stamp(cast) == before is not None


@pytest.mark.parametrize("age", [FRESH + timedelta(hours=1), SETTLED, 5 * DAY, 29 * DAY])
def test_a_late_call_is_there_at_once(cast: Cast, call: Callable[..., None], age: Any) -> None:
    call(LONG_AGO)
    before = stamp(cast)
    assert count(cast) == count(cast) == 1
    call(NOW - age)
    assert stamp(cast) != before
    assert count(cast) == 2
    assert count(cast, members=(cast.member.pk,), models=("gpt-4o",)) == 2


def test_single_calls_of_times_past_are_kept_as_well(cast: Cast, call: Callable[..., None]) -> None:
    """Of tokens no table knows hours, so the beginning of this range is counted from calls."""
    call(LONG_AGO)
    begins_within_an_hour = Range(LONG_AGO - timedelta(minutes=7), NOW - 3 * DAY)
    query = prepared([UsageQuery(cast.team, Mode.LIVE, begins_within_an_hour)], NOW)[0]
    assert len(queries_about(query, Dimension.TOKEN)) == 2
    assert queries_about(query, Dimension.TOKEN) == []
    assert [one.calls for one in figures(query, Dimension.TOKEN).values()] == [1]
    call(LONG_AGO + timedelta(minutes=1))
    query = prepared([query], NOW)[0]
    assert [one.calls for one in figures(query, Dimension.TOKEN).values()] == [2]


def test_a_day_that_ends_while_nobody_looks_is_settled_with_all_its_calls(
    cast: Cast, call: Callable[..., None], clock: Any
) -> None:
    call(NOW)
    assert count(cast) == 1
    clock.move_to(NOW + 3 * DAY)
    later = UsageQuery(cast.team, Mode.LIVE, Range(END - 30 * DAY, END + 3 * DAY))
    (query,) = prepared([later], NOW + 3 * DAY)
    assert sum(one.calls for one in figures(query).values()) == 1
    assert len(queries_about(query)[0]) < 2_000


def test_statistics_that_are_cut_again_are_seen(cast: Cast, call: Callable[..., None]) -> None:
    call(LONG_AGO)
    assert count(cast) == 1
    connection.cursor().execute("UPDATE usage_daymember SET calls = 7")
    assert count(cast) == 1, "kept: nobody but Callboard writes here"
    rebuild_team(cast.team)
    connection.cursor().execute("UPDATE usage_daymember SET calls = 9")
    assert count(cast) == 9


def test_teams_modes_and_filters_are_kept_apart(cast: Cast, call: Callable[..., None]) -> None:
    call(LONG_AGO)
    assert count(cast) == 1
    assert count(cast, team=cast.other_team) == 0
    assert count(cast, members=(cast.owner.pk,)) == 0
    assert count(cast, models=("other",)) == 0
    test = UsageQuery(cast.team, Mode.TEST, Range(END - 30 * DAY, END))
    assert figures(prepared([test], NOW)[0]) == {}


@pytest.mark.parametrize("granularity", list(Granularity))
@pytest.mark.parametrize("by", [Dimension.TIME, Dimension.MEMBER, Dimension.MODEL, Dimension.TOKEN])
def test_whatever_happens_in_between_answers_are_those_of_the_database(
    cast: Cast, call: Callable[..., None], by: Dimension, granularity: Any
) -> None:
    dice = random.Random(f"{by}-{granularity}")
    for _turn in range(12):
        call(NOW - timedelta(minutes=dice.choice([1, 60, 1_500, 1_700, 1_900, 3_000, 20_000, 43_000])))
        if dice.random() < 0.2:
            stamp_past(team_id=cast.team.pk, mode=Mode.LIVE)
        start = END - timedelta(minutes=dice.choice([7, 60 * 24 * 3, 60 * 24 * 30 + 13]))
        plain = UsageQuery(cast.team, Mode.LIVE, Range(start, END), granularity=granularity)
        known = prepared([plain], NOW)[0]
        answers = [comparable(figures(query, by)) for query in (known, known, plain)]
        assert answers[0] == answers[1] == answers[2]


def comparable(found: dict[Key, Figures]) -> dict[Key, Any]:
    """The counters, and the sketches, which may come in other pieces, together."""
    names = [name for name in Figures.__slots__ if not name.endswith("sketches")]
    return {
        key: [*(getattr(one, name) for name in names), merged(one.latency_sketches)]
        for key, one in found.items()
    }


def test_no_more_is_kept_than_fits_and_what_was_not_used_goes_first() -> None:
    kept = ProcessCache()
    large = [(0, bytes(4_000_000))]
    for name in "abc":
        kept.set(name, large)
    assert kept.get("a") is large
    kept.set("d", large)
    assert [name for name in "abcd" if kept.get(name) is None] == ["b"]
    kept.set("d", [])
    kept.set("e", large)
    assert [name for name in "acde" if kept.get(name) is None] == []
    kept.clear()
    assert kept.get("a") is None
