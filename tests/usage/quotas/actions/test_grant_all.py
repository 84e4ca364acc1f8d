"""Reservations that came at a time, granted in one transaction: each as if it had come alone, after those before it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from teams.actions.members import remove_member
from teams.actions.tokens import revoke_token
from teams.activity import SITE
from teams.credentials import Refusal
from teams.models import Mode, User
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import NOW, nanos
from usage.quotas.actions.granting import Asked, Granted, Wanted, grant_all
from usage.quotas.availability import Subject, payer_of
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Reservation
from usage.quotas.models import Refusal as CountedRefusal


@pytest.fixture
def asked(cast: Cast) -> Callable[..., Asked]:
    """`asked("0.50", user=…)`: what Mia or another wants in the team."""

    def ask(
        usd: str,
        *,
        user: User | None = None,
        token: Any = None,
        mode: Mode = Mode.LIVE,
        now: datetime = NOW,
        **wanted: Any,
    ) -> Asked:
        user = user or (token.user if token else cast.member)
        subject = Subject(cast.team, payer_of(cast.team), mode, user.pk, token.pk if token else 0)
        return Asked(subject, Wanted(nanos(usd), **{"ttl": timedelta(minutes=10), **wanted}), now)

    return ask


def in_short(answers: Any) -> list[object]:
    """Amounts that were granted, levels that did not cover theirs, reasons."""
    return [
        answer.reservation.amount_nanos
        if isinstance(answer, Granted)
        else answer.level
        if isinstance(answer, LevelState)
        else answer
        for answer in answers
    ]


def test_each_counts_in_those_before_it(
    asked: Callable[..., Asked], limit: Callable[..., None], level_of: Callable[..., LevelState], cast: Cast
) -> None:
    limit(Level.TEAM, "1")
    wanted = [asked("0.6"), asked("0.5"), asked("0.4", user=cast.owner), asked("0.000000001")]
    assert in_short(grant_all(wanted)) == [nanos("0.6"), Level.TEAM, nanos("0.4"), Level.TEAM]
    assert level_of(Level.TEAM).reserved_nanos == nanos("1")
    assert CountedRefusal.objects.get().refused == 2


def test_levels_of_one_do_not_count_for_another(
    asked: Callable[..., Asked], limit: Callable[..., None], cast: Cast
) -> None:
    limit(Level.MEMBER, "0.5")
    wanted = [asked("0.5"), asked("0.5", user=cast.owner), asked("0.1"), asked("0.1", user=cast.owner)]
    assert in_short(grant_all(wanted)) == [nanos("0.5"), nanos("0.5"), Level.MEMBER, nanos("0.1")]


def test_modes_are_apart(asked: Callable[..., Asked], limit: Callable[..., None]) -> None:
    limit(Level.TEAM, "1")
    wanted = [asked("1"), asked("1", mode=Mode.TEST), asked("0.1"), asked("0.1", mode=Mode.TEST)]
    assert in_short(grant_all(wanted)) == [nanos("1"), nanos("1"), Level.TEAM, Level.TEAM]
    assert sorted(CountedRefusal.objects.values_list("mode", "refused")) == [(Mode.LIVE, 1), (Mode.TEST, 1)]


def test_one_request_reserves_once_and_is_granted_also_when_nothing_is_left(
    asked: Callable[..., Asked], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "1")
    answers: list[Any] = grant_all(
        [asked("1", request_id="r1"), asked("1", request_id="r1"), asked("1", request_id="r2")]
    )
    assert in_short(answers) == [nanos("1"), nanos("1"), Level.TEAM]
    assert answers[0].reservation.pk == answers[1].reservation.pk == Reservation.objects.get().pk
    later: list[Any] = grant_all([asked("1", request_id="r1"), asked("1", request_id="r1", mode=Mode.TEST)])
    assert later[0].reservation == answers[0].reservation
    assert later[1].reservation != answers[0].reservation


def test_who_may_not_call_any_more_is_refused_and_nobody_else(
    asked: Callable[..., Asked], cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    working, _secret = token_of("owner")
    revoked, _secret = token_of("administrator")
    revoke_token(by=SITE, token=revoked, now=NOW)
    remove_member(by=SITE, team=cast.team, user=cast.member, now=NOW)
    wanted = [
        asked("1", token=working),
        asked("2", token=revoked),
        asked("3"),
        asked("4", user=cast.administrator),
        asked("5", user=cast.outsider),
    ]
    answers = in_short(grant_all(wanted))
    assert answers == [nanos("1"), Refusal.REVOKED, Refusal.LEFT, nanos("4"), Refusal.LEFT]


def test_somebody_elses_token_does_not_work_for_a_member(
    asked: Callable[..., Asked], cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    theirs, _secret = token_of("owner")
    mixed = asked("1", token=theirs, user=cast.member)
    assert in_short(grant_all([asked("1", token=theirs), mixed])) == [nanos("1"), Refusal.LEFT]


def test_the_latest_moment_counts(asked: Callable[..., Asked], limit: Callable[..., None]) -> None:
    """The first waited while the second's day began, whose use begins at nothing."""
    limit(Level.TEAM, "1", "day")
    tomorrow = NOW + timedelta(days=1)
    grant_all([asked("1", ttl=timedelta(minutes=10))])
    assert in_short(grant_all([asked("1"), asked("0.1", now=tomorrow)])) == [nanos("1"), Level.TEAM]


def test_eight_take_no_more_statements_than_one(
    asked: Callable[..., Asked],
    django_assert_num_queries: DjangoAssertNumQueries,
    limit: Callable[..., None],
    cast: Cast,
) -> None:
    limit(Level.TEAM, "1")
    people = [cast.owner, cast.administrator, cast.member]
    wanted = [asked("0.2", user=people[number % 3]) for number in range(8)]
    payer_of(cast.team)
    # Two of them are the savepoint of the test's transaction; the refusals are one.
    with django_assert_num_queries({"postgresql": 4}.get(connection.vendor, 8)):
        answers = grant_all(wanted)
    assert sum(isinstance(answer, Granted) for answer in answers) == 5
