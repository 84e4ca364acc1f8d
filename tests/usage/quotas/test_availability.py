"""Reading quotas: one subject or many, in a constant number of queries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_django import DjangoAssertNumQueries

from teams.access import memberships_of
from teams.actions.members import add_member
from teams.actions.users import create_user
from teams.activity import SITE
from teams.models import Membership, Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import NOW, nanos
from usage.quotas.actions.granting import Granted
from usage.quotas.availability import (
    Subject,
    binding_level,
    contexts_of,
    levels_of,
    levels_of_many,
    member_levels,
    payer_of,
    payers_of,
    token_levels,
)
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Period, QuotaUse


def use(team: Team, level: Any, subject_id: Any, day: Any, usd: str, mode: Mode = Mode.LIVE) -> None:
    QuotaUse.objects.create(
        team_id=team.pk, mode=mode, level=level, subject_id=subject_id, day=day, used_nanos=nanos(usd), calls=1
    )


def test_a_level_without_a_limit_tells_its_use_of_the_month(
    cast: Cast, level_of: Callable[..., LevelState]
) -> None:
    use(cast.team, Level.MEMBER, cast.member.pk, NOW.date().replace(day=1), "1")
    use(cast.team, Level.MEMBER, cast.member.pk, NOW.date().replace(day=1) - timedelta(days=1), "5")
    state = level_of(Level.MEMBER)
    assert (state.limit_nanos, state.available_nanos, state.used_share) == (None, None, None)
    assert (state.used_nanos, state.period) == (nanos("1"), Period.MONTH)
    assert state.resets_at == datetime(2026, 11, 30, 23, tzinfo=UTC)  # December in Berlin


def test_each_period_sums_its_own_days(
    cast: Cast, limit: Callable[..., None], level_of: Callable[..., LevelState]
) -> None:
    # NOW is a Friday.
    days = {
        "1": "2026-11-20",
        "10": "2026-11-16",
        "100": "2026-11-15",
        "1000": "2026-11-01",
        "9000": "2025-01-01",
    }
    for usd, day in days.items():
        use(cast.team, Level.TEAM, 0, day, usd)
    for period, usd in [(Period.DAY, "1"), (Period.WEEK, "11"), (Period.MONTH, "1111"), (Period.NONE, "10111")]:
        limit(Level.TEAM, "20000", period)
        assert level_of(Level.TEAM).used_nanos == nanos(usd)
    assert level_of(Level.TEAM).resets_at is None


def test_the_owners_balance_follows_the_calendar_of_their_personal_space(
    cast: Cast, limit: Callable[..., None], level_of: Callable[..., LevelState]
) -> None:
    Team.objects.filter(owner=cast.owner, is_personal=True).update(time_zone="Pacific/Auckland")
    limit(Level.OWNER, "5", Period.DAY)
    use(payer_of(cast.team), Level.OWNER, 0, "2026-11-21", "2")  # it is tomorrow there
    state = level_of(Level.OWNER)
    assert (state.used_nanos, state.resets_at) == (nanos("2"), datetime(2026, 11, 21, 11, tzinfo=UTC))


def test_the_binding_level_is_the_one_with_the_least_left(
    limit: Callable[..., None],
    token_of: Callable[..., tuple[Token, str]],
    level_of: Callable[..., LevelState],
    cast: Cast,
) -> None:
    token, _secret = token_of("member")
    limit(Level.TOKEN, "3", token=token)
    limit(Level.TEAM, "2")
    limit(Level.OWNER, "2")
    levels = levels_of(Subject(cast.team, payer_of(cast.team), Mode.LIVE, cast.member.pk, token.pk), NOW)
    assert binding_level(levels).level == Level.TEAM
    assert binding_level([state for state in levels if state.level == Level.MEMBER]) is None


def test_a_limit_of_nothing_is_used_up(limit: Callable[..., None], level_of: Callable[..., LevelState]) -> None:
    limit(Level.MEMBER, "0")
    assert (level_of(Level.MEMBER).used_share, level_of(Level.MEMBER).available_nanos) == (1.0, 0)


def test_many_subjects_are_read_by_one_query(
    cast: Cast,
    limit: Callable[..., None],
    django_assert_num_queries: DjangoAssertNumQueries,
    level_of: Callable[..., LevelState],
) -> None:
    limit(Level.MEMBER, "2")
    teams = [cast.team, cast.other_team]
    payers = payers_of(teams)
    subjects = [
        Subject(team, payers[team.pk], mode, user.pk)
        for team in teams
        for mode in Mode
        for user in (cast.member, cast.outsider)
    ]
    with django_assert_num_queries(1):
        found = levels_of_many(subjects, NOW)
    assert found == [levels_of(subject, NOW) for subject in subjects]
    limited = [state.limit_nanos for levels in found for state in levels if state.limit_nanos is not None]
    assert limited == [nanos("2")] * 2  # Mia's, in both modes


def test_the_levels_of_a_hundred_members_are_one_query(
    cast: Cast,
    reserve: Callable[..., Granted],
    limit: Callable[..., None],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    limit(Level.MEMBER, "2")
    people = [create_user(email=f"p{n}@example.org") for n in range(100)]
    for person in people:
        add_member(by=SITE, team=cast.team, user=person)
    reserve("0.5")
    reserve("0.25", user=people[7])
    ids = Membership.objects.filter(team=cast.team).values_list("user", flat=True)
    with django_assert_num_queries(2):
        found = member_levels(cast.team, Mode.LIVE, set(ids), NOW)
    assert len(found) == 103
    assert (found[cast.member.pk].limit_nanos, found[cast.member.pk].reserved_nanos) == (
        nanos("2"),
        nanos("0.5"),
    )
    assert (found[people[7].pk].limit_nanos, found[people[7].pk].reserved_nanos) == (None, nanos("0.25"))


def test_the_levels_of_many_tokens(
    cast: Cast,
    limit: Callable[..., None],
    reserve: Callable[..., Granted],
    token_of: Callable[..., tuple[Token, str]],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first, second = token_of("member")[0], token_of("owner")[0]
    limit(Level.TOKEN, "1", token=first)
    reserve("0.5", token=second)
    with django_assert_num_queries(1):
        found = token_levels(cast.team, Mode.LIVE, [first.pk, second.pk], NOW)
    assert (found[first.pk].limit_nanos, found[first.pk].reserved_nanos) == (nanos("1"), 0)
    assert (found[second.pk].limit_nanos, found[second.pk].reserved_nanos) == (None, nanos("0.5"))
    assert token_levels(cast.team, Mode.LIVE, [], NOW) == {}


def test_the_contexts_of_a_user_begin_with_their_personal_space(
    cast: Cast, limit: Callable[..., None], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    limit(Level.MEMBER, "2")
    add_member(by=SITE, team=cast.other_team, user=cast.member)
    with django_assert_num_queries(3):
        contexts = contexts_of(memberships_of(cast.member), Mode.LIVE, NOW)
    assert [context.team.name for context in contexts] == ["Personal space", "Harbour Research", "Outside"]
    assert [context.binding and context.binding.level for context in contexts] == [None, Level.MEMBER, None]
    assert [[state.level for state in context.levels] for context in contexts] == [
        [Level.OWNER],
        [Level.MEMBER, Level.TEAM, Level.OWNER],
        [Level.MEMBER, Level.TEAM, Level.OWNER],
    ]
    assert [
        context.team.is_personal for context in contexts_of(memberships_of(cast.former), Mode.LIVE, NOW)
    ] == [True]
