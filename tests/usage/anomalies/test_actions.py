"""Marking anomalies as expected, and unmarking them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Activity, Mode
from tests.conftest import Cast
from tests.usage.conftest import NOW
from usage.anomalies.actions import mark_expected, unmark_expected
from usage.anomalies.episodes import Episode, Kind
from usage.anomalies.models import ExpectedEpisode
from usage.anomalies.shown import expected_in, mark_of
from usage.rollups.query import Range

HOUR = timedelta(hours=1)


def episode(kind: Kind = Kind.CALLS, start: datetime = NOW, hours: int = 3, **more: Any) -> Episode:
    end = start + hours * HOUR
    return Episode(
        kind=kind,
        start=start,
        end=end,
        peak=start,
        score=2.0,
        importance=3.0,
        sentence="14:00 Fri: many calls.",
        whole=Range(start, end),
        told=Range(start, end),
        **{"kinds": (kind,), **more},
    )


@pytest.fixture
def mark(cast: Cast, act: Callable[..., Any]) -> Callable[..., ExpectedEpisode]:
    def make(
        of: Any = None, name: str = "owner", reason: str = "Load test", mode: Mode = Mode.LIVE
    ) -> ExpectedEpisode:
        return mark_expected(
            by=act(name), team=cast.team, mode=mode, episode=of or episode(), reason=reason, now=NOW
        )

    return make


def speaks_for(cast: Cast, one: Any, mode: Mode = Mode.LIVE) -> ExpectedEpisode | None:
    return mark_of(one, expected_in([cast.team], mode, Range(NOW - 99 * HOUR, NOW + 999 * HOUR)))


@pytest.mark.parametrize("name", ["owner", "administrator"])
def test_owner_and_administrators_may_expect_an_episode(
    cast: Cast, mark: Callable[..., ExpectedEpisode], name: str
) -> None:
    made = mark(name=name)
    assert speaks_for(cast, episode()) == made
    row = Activity.objects.order_by("-id").first()
    assert (row.kind, row.actor, row.after["reason"]) == ("episode.expected", cast.user(name), "Load test")


@pytest.mark.parametrize("name", ["member", "former", "outsider"])
def test_nobody_else_may(mark: Callable[..., ExpectedEpisode], name: str) -> None:
    with pytest.raises(NotAllowedError):
        mark(name=name)
    assert not ExpectedEpisode.objects.exists()


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 201])
def test_a_reason_is_needed(mark: Callable[..., ExpectedEpisode], reason: str) -> None:
    with pytest.raises(ActionError) as refused:
        mark(reason=reason)
    assert refused.value.field == "reason"


def test_marking_twice_keeps_the_first_mark_and_writes_one_row(mark: Callable[..., ExpectedEpisode]) -> None:
    first = mark()
    rows = Activity.objects.count()
    assert mark(reason="Another") == first
    assert Activity.objects.count() == rows


@pytest.mark.parametrize(
    ("other", "is_quiet"),
    [
        (episode(start=NOW - HOUR, hours=9), True),  # it went on
        (episode(kind=Kind.COST, kinds=(Kind.COST, Kind.CALLS)), True),  # the same incident, told by its cost
        (episode(kind=Kind.COST), False),
        (episode(kind=Kind.ERRORS), False),
        (episode(start=NOW + 3 * HOUR), False),  # begins when that one had ended
        (episode(start=NOW + 168 * HOUR), False),
    ],
)
def test_a_mark_speaks_for_the_same_kind_in_the_same_hours(
    cast: Cast, mark: Callable[..., ExpectedEpisode], other: Episode, is_quiet: bool
) -> None:
    mark()
    assert (speaks_for(cast, other) is not None) is is_quiet


def test_a_mark_of_a_member_speaks_for_that_member_only(
    cast: Cast, mark: Callable[..., ExpectedEpisode]
) -> None:
    mark(of=episode(Kind.MEMBER, member_id=cast.member.pk, member=cast.member.public_id))
    assert speaks_for(cast, episode(Kind.MEMBER, member_id=cast.member.pk))
    assert not speaks_for(cast, episode(Kind.MEMBER, member_id=cast.owner.pk))


def test_modes_are_kept_apart(cast: Cast, mark: Callable[..., ExpectedEpisode]) -> None:
    mark(mode=Mode.TEST)
    assert not speaks_for(cast, episode())


def test_unmarking_lets_it_be_told_again(
    cast: Cast, mark: Callable[..., ExpectedEpisode], act: Callable[..., Any]
) -> None:
    made = mark()
    unmark_expected(by=act("administrator"), mark=made)
    assert not speaks_for(cast, episode())
    row = Activity.objects.order_by("-id").first()
    assert (row.kind, row.before["reason"]) == ("episode.unmarked", "Load test")
    with pytest.raises(ConflictError):
        unmark_expected(by=act("owner"), mark=made)


def test_a_member_cannot_unmark(mark: Callable[..., ExpectedEpisode], act: Callable[..., Any]) -> None:
    made = mark()
    with pytest.raises(NotAllowedError):
        unmark_expected(by=act("member"), mark=made)
