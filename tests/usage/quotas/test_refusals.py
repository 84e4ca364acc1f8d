"""What was refused for quota, as a page counts it: of whom one asks for, and of nobody else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level, Refusal
from usage.quotas.refusals import refusals_in
from usage.rollups.query import Range, UsageQuery

HOUR = datetime(2026, 11, 20, 11, tzinfo=UTC)


@pytest.fixture
def refused(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> int:
    """Refused at each level of the team, at Olivia's and another token; answers Mia's token's id."""
    mine, other = (token_of(name)[0].pk for name in ("member", "owner"))
    rows = [
        (cast.team, Level.TEAM, 0, 1),
        (cast.team, Level.MEMBER, cast.member.pk, 2),
        (cast.team, Level.MEMBER, cast.owner.pk, 4),
        (cast.team, Level.TOKEN, mine, 8),
        (cast.team, Level.TOKEN, other, 16),
        (cast.other_team, Level.TEAM, 0, 32),
    ]
    for team, level, subject, count in rows:
        for hour in (HOUR, HOUR - timedelta(days=9)):
            Refusal.objects.create(
                team_id=team.pk, mode=Mode.LIVE, hour=hour, level=level, subject_id=subject, refused=count
            )
    return mine


def asked(team: Team, **more: Any) -> UsageQuery:
    within = Range(HOUR - timedelta(days=1), HOUR + timedelta(hours=1))
    return replace(UsageQuery(team=team, mode=Mode.LIVE, range=within), **more)


def count(*queries: UsageQuery, token_ids: Any = ()) -> int:
    return sum(one.refused for one in refusals_in(queries, token_ids))


def test_a_team_counts_all_of_its_own_within_the_range(cast: Cast, refused: int) -> None:
    assert count(asked(cast.team)) == 31
    assert count(asked(cast.team, mode=Mode.TEST)) == 0
    assert count(asked(cast.team), asked(cast.other_team)) == 63


def test_a_member_counts_those_of_their_own_limits_and_tokens(cast: Cast, refused: int) -> None:
    mine = asked(cast.team, members=(cast.member.pk,))
    assert count(mine, token_ids=[refused]) == 10
    assert count(mine) == 2


def test_a_token_counts_its_own_and_a_model_none(cast: Cast, refused: int) -> None:
    assert count(asked(cast.team, tokens=(refused,))) == 8
    assert count(asked(cast.team, models=("gpt-4o",))) == 0


def test_a_member_who_asks_for_anothers_token_gets_nothing(
    cast: Cast, refused: int, token_of: Callable[..., tuple[Token, str]]
) -> None:
    others = Refusal.objects.filter(level=Level.TOKEN).exclude(subject_id=refused).first().subject_id
    mine = asked(cast.team, members=(cast.member.pk,), tokens=(others, refused))
    assert count(mine, token_ids=[refused]) == 8
    assert count(asked(cast.team, members=(cast.member.pk,), tokens=(others,)), token_ids=[refused]) == 0


def test_no_question_asks_nothing(
    cast: Cast, refused: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert refusals_in([]) == []
    with django_assert_num_queries(1):
        (first, *_rest) = refusals_in([asked(cast.team), asked(cast.other_team)])
    assert (first.refused, first.since, first.last_hour) == (32, HOUR, HOUR)
