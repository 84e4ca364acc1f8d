"""Ids of calls: their order is the order of time, to the microsecond."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logs.recording.ids import call_id, first_id

MICROSECOND = timedelta(microseconds=1)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
instants = st.integers(0, 200 * 366 * 86_400 * 10**6).map(lambda n: FIRST + n * MICROSECOND)


@given(instants, instants)
def test_the_order_of_ids_is_the_order_of_time(one: Any, other: Any) -> None:
    if one != other:
        assert (call_id(one) < call_id(other)) == (one < other)


@given(instants)
def test_a_microsecond_later_is_a_greater_id(at: Any) -> None:
    assert call_id(at) < call_id(at + MICROSECOND)


@given(start=instants, length=st.integers(1, 5000), after=st.integers(-5000, 10_000))
def test_a_range_of_time_is_a_range_of_ids(start: Any, length: int, after: int) -> None:
    end, at = start + length * MICROSECOND, start + after * MICROSECOND
    assert (first_id(start) <= call_id(at) < first_id(end)) == (start <= at < end)


@given(instants)
def test_an_id_is_a_uuid_of_version_7_with_its_millisecond_in_front(at: Any) -> None:
    made = call_id(at)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_two_calls_of_the_same_moment_have_ids_of_their_own() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    assert len({call_id(at) for _ in range(10_000)}) == 10_000
    assert first_id(at) <= min(call_id(at) for _ in range(1000))


def test_every_microsecond_of_a_millisecond_has_a_place_of_its_own() -> None:
    start = datetime(2026, 11, 20, 12, 0, 0, 999_000, tzinfo=UTC)
    ids = [first_id(start + n * MICROSECOND) for n in range(2000)]
    assert ids == sorted(set(ids))
