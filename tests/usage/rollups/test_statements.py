"""Any number of slices and of values to filter by is read, in more statements where one cannot hold them."""

from collections.abc import Callable
from datetime import UTC, date, datetime
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
from usage.rollups.models import DayMember
from usage.rollups.query import Range, UsageQuery
from usage.rollups.statements import CALLS, COUNTED, Depth, Slice, sums_of

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = date(2026, 11, 20)


@pytest.fixture
def slice_of(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> Callable[..., Slice]:
    """`slice_of(members)`: the day on which Mia called three times."""
    token, _secret = token_of("member")
    calls = [ReportedCall(request_id=f"r{n}", started_at=AT, model="gpt-4o-mini") for n in range(3)]
    record_calls(calls, by=Caller(token=token), now=AT)

    def make(members: Any = (), depth: Depth = COUNTED) -> Slice:
        query = UsageQuery(cast.team, Mode.LIVE, Range(AT, AT), members=tuple(members))
        return Slice(query, DayMember, DAY, date(2026, 11, 21), by_slot=True, depth=depth)

    return make


def rows_of(*asked: Any) -> list[tuple[Any, ...]]:
    return [(number, *row) for number, rows in sums_of(*asked) for row in rows]


def test_hundreds_of_slices_are_told_apart(
    slice_of: Callable[..., Slice], cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        rows = rows_of([slice_of()] * 250, ["member_id"])
    assert [row[:4] for row in rows] == [(number, DAY, cast.member.pk, 3) for number in range(250)]


def test_more_values_than_a_statement_of_sqlite_takes_are_filtered_by(
    slice_of: Callable[..., Slice], cast: Cast
) -> None:
    members = [cast.member.pk, *range(10**6, 10**6 + 20_000)]
    rows = rows_of([slice_of(members)] * 3, ["member_id"])
    assert [row[:4] for row in rows] == [(number, DAY, cast.member.pk, 3) for number in range(3)]


def test_what_is_not_asked_for_is_nothing(slice_of: Callable[..., Slice]) -> None:
    (row,) = rows_of([slice_of(depth=CALLS)], [])
    assert row == (0, DAY, 3, *[0] * 15, b"", b"")


def test_where_there_is_nothing_there_is_no_row(slice_of: Callable[..., Slice], cast: Cast) -> None:
    assert rows_of([slice_of([cast.outsider.pk])], []) == []


def test_nothing_asked_is_nothing_answered() -> None:
    assert rows_of([], ["member_id"]) == []


@pytest.mark.parametrize("others", [0, 5, 2_000])
def test_few_members_are_looked_up_day_by_day_and_many_in_a_range(
    slice_of: Callable[..., Slice], cast: Cast, others: int
) -> None:
    """Both answer the same; which is asked is seen in the statement."""
    members = [cast.member.pk, *range(10**6, 10**6 + others)]
    with CaptureQueriesContext(connection) as asked:
        (row,) = rows_of([slice_of(members)], ["member_id"])
    assert row[:4] == (0, DAY, cast.member.pk, 3)
    assert ("day >= " in asked[0]["sql"]) is (others >= 1_000)
