"""Reserving: granted while every level covers it, refused by the first that does not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from teams.actions.tokens import create_token
from teams.activity import SITE
from teams.credentials import RefusedKeyError
from teams.errors import ActionError
from teams.models import Membership, Mode, Team, Token
from tests.conftest import Cast
from tests.usage.conftest import LATER, NOW, nanos
from usage.quotas.actions.granting import Granted, Wanted
from usage.quotas.actions.reservations import InsufficientQuotaError, reserve_quota, roll_back_reservation
from usage.quotas.availability import binding_level, remembered_payer
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Period, QuotaUse, Refusal, Reservation


def test_without_any_limit_everything_is_granted(reserve: Callable[..., Granted]) -> None:
    granted = reserve("1000000")
    assert binding_level(granted.levels) is None
    assert [state.reserved_nanos for state in granted.levels] == [nanos("1000000")] * 3


def test_a_limit_is_granted_to_the_last_nano_dollar_and_no_further(
    reserve: Callable[..., Granted], limit: Callable[..., None], level_of: Callable[..., LevelState]
) -> None:
    limit(Level.TEAM, "1")
    reserve("0.6")
    granted = reserve("0.4")
    assert binding_level(granted.levels).available_nanos == 0
    with pytest.raises(InsufficientQuotaError) as refused:
        reserve("0.000000001")
    state = refused.value.state
    assert (state.level, state.limit_nanos, state.reserved_nanos) == (Level.TEAM, nanos("1"), nanos("1"))
    assert level_of(Level.TEAM).reserved_nanos == nanos("1")


@pytest.mark.parametrize("level", list(Level))
def test_every_level_refuses(
    level: Any,
    reserve: Callable[..., Granted],
    limit: Callable[..., None],
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token, _secret = token_of("member")
    limit(level, "0.5", token=token)
    with pytest.raises(InsufficientQuotaError) as refused:
        reserve("0.6", token=token)
    assert refused.value.state.level == level


def test_the_first_level_that_cannot_cover_it_is_named(
    reserve: Callable[..., Granted], limit: Callable[..., None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    for level, usd in zip(Level, ["0.4", "0.3", "0.2", "0.1"], strict=True):
        limit(level, usd, token=token)
    for usd, level in [("0.15", Level.OWNER), ("0.25", Level.TEAM), ("0.35", Level.MEMBER), ("1", Level.TOKEN)]:
        with pytest.raises(InsufficientQuotaError) as refused:
            reserve(usd, token=token)
        assert refused.value.state.level == level


def test_all_teams_of_an_owner_share_the_balance(
    cast: Cast, reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.OWNER, "1")
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    reserve("0.6", team=space, user=cast.owner)
    with pytest.raises(InsufficientQuotaError):
        reserve("0.5")
    assert reserve("0.4")


def test_what_others_reserve_counts_for_the_team_but_not_for_a_member(
    cast: Cast, reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.MEMBER, "1")
    limit(Level.TEAM, "3")
    reserve("2", user=cast.administrator)
    reserve("1")
    with pytest.raises(InsufficientQuotaError):
        reserve("0.5", user=cast.administrator)


def test_what_was_used_counts_in_its_period_only(
    cast: Cast, reserve: Callable[..., Granted], limit: Callable[..., None], level_of: Callable[..., LevelState]
) -> None:
    limit(Level.TEAM, "1", Period.DAY)
    QuotaUse.objects.create(
        team_id=cast.team.pk, mode=0, level=Level.TEAM, subject_id=0, day=NOW.date(), used_nanos=nanos("0.9")
    )
    with pytest.raises(InsufficientQuotaError):
        reserve("0.2")
    tomorrow = NOW + timedelta(days=1)
    assert reserve("1", now=tomorrow)
    assert level_of(Level.TEAM, now=tomorrow).resets_at == NOW.replace(day=21, hour=23)  # midnight in Berlin


def test_a_reservation_lapses_at_its_moment_without_any_job(
    reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "1")
    first = reserve("1", ttl=timedelta(seconds=7)).reservation
    with pytest.raises(InsufficientQuotaError):
        reserve("1", now=first.expires_at - timedelta(microseconds=1))
    assert reserve("1", now=first.expires_at)


def test_test_mode_has_its_own_use_under_the_same_limit(
    reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "1")
    reserve("1")
    assert reserve("1", mode=Mode.TEST)
    with pytest.raises(InsufficientQuotaError):
        reserve("0.1", mode=Mode.TEST)


def test_the_same_request_gets_the_same_reservation_and_reserves_once(
    reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    first = reserve("1", request_id="r1").reservation
    again = reserve("2", request_id="r1").reservation
    assert (again.pk, again.amount_nanos) == (first.pk, nanos("1"))
    assert level_of(Level.TEAM).reserved_nanos == nanos("1")


def test_the_same_request_gets_its_reservation_when_nothing_is_left_and_another_once_it_was_given_back(
    reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "1")
    first = reserve("1", request_id="r1").reservation
    assert reserve("1", request_id="r1").reservation == first
    roll_back_reservation(reservation=first, now=NOW)
    again = reserve("1", request_id="r1").reservation
    assert again != first
    assert again.state(NOW) == "open"


def test_a_request_id_that_somebody_else_has_used_is_refused(
    cast: Cast, reserve: Callable[..., Granted], token_of: Callable[..., tuple[Token, str]]
) -> None:
    reserve("1", request_id="r1")
    token, _secret = token_of("member")
    for other in ({"user": cast.administrator}, {"token": token}):
        with pytest.raises(ActionError) as refused:
            reserve("1", request_id="r1", **other)
        assert refused.value.field == "request_id"
    assert reserve("1", request_id="r1", mode=Mode.TEST)


def test_an_unpriced_model_reserves_nothing_but_only_while_something_is_left(
    reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "0.000000001")
    assert reserve("0", is_unpriced=True).reservation.amount_nanos == 0
    reserve("0.000000001")
    assert reserve("0").reservation.amount_nanos == 0
    with pytest.raises(InsufficientQuotaError):
        reserve("0", is_unpriced=True)


@pytest.mark.parametrize("field", ["revoked_at", "disabled_at", "expires_at"])
def test_a_token_that_ended_meanwhile_reserves_nothing(
    reserve: Callable[..., Granted], token_of: Callable[..., tuple[Token, str]], field: str
) -> None:
    token, _secret = token_of("member")
    Token.objects.update(**{field: NOW})
    with pytest.raises(RefusedKeyError) as refused:
        reserve("1", token=token)
    assert refused.value.reason == field.removesuffix("_at").replace("expires", "expired")
    assert not Reservation.objects.exists()


def test_who_has_left_or_never_was_there_reserves_nothing(
    cast: Cast, reserve: Callable[..., Granted], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    Membership.objects.filter(user=cast.member, team=cast.team).delete()
    for who in ({"user": cast.former}, {"user": cast.outsider}, {"token": token}):
        with pytest.raises(RefusedKeyError) as refused:
            reserve("1", **who)
        assert refused.value.reason == "left"


def test_a_deactivated_user_and_a_deleted_team_reserve_nothing(
    cast: Cast, reserve: Callable[..., Granted]
) -> None:
    cast.member.is_active = False
    cast.member.save()
    with pytest.raises(RefusedKeyError):
        reserve("1")
    Team.objects.filter(pk=cast.team.pk).update(deleted_at=NOW)
    with pytest.raises(RefusedKeyError) as refused:
        reserve("1", user=cast.owner)
    assert refused.value.reason == "deleted"


def test_after_a_transfer_the_new_owners_balance_pays(
    cast: Cast, reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.OWNER, "0")
    stale = Team.objects.get(pk=cast.team.pk)
    Team.objects.filter(pk=cast.team.pk).update(owner=cast.administrator)
    assert reserve("1", team=stale).reservation.payer.owner == cast.administrator


def test_after_a_transfer_and_back_the_payer_that_was_remembered_is_still_asked(
    cast: Cast, reserve: Callable[..., Granted]
) -> None:
    for owner in (cast.owner, cast.administrator, cast.owner):
        stale = Team.objects.get(pk=cast.team.pk)
        Team.objects.filter(pk=cast.team.pk).update(owner=owner)
        assert reserve("1", team=stale).reservation.payer.owner == owner


def test_a_payer_who_moved_to_another_zone_gets_the_days_of_it(
    cast: Cast, reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.OWNER, "1", Period.DAY)
    reserve("0.1")
    Team.objects.filter(owner=cast.owner, is_personal=True).update(time_zone="Pacific/Kiritimati")
    balance = reserve("0.1").levels[-1]
    assert (balance.level, balance.zone.key) == (Level.OWNER, "Pacific/Kiritimati")
    assert balance.resets_at == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_what_is_remembered_of_another_database_is_found_out_under_the_lock(
    cast: Cast, reserve: Callable[..., Granted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids are given again when a database is restored: the remembered row may be any team by now."""
    remembered_payer.cache_clear()
    wrong = Team.objects.get(pk=cast.team.pk)
    monkeypatch.setattr(Team.objects, "get", lambda **_asked: wrong, raising=True)
    remembered_payer(cast.owner.pk)
    monkeypatch.undo()
    wrong.is_personal = True
    granted = reserve("1")
    assert granted.reservation.payer.is_personal
    assert granted.reservation.payer != cast.team


def test_every_refusal_is_counted_by_the_hour(
    cast: Cast, reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.MEMBER, "0")
    for minutes in (0, 10, 70):
        with pytest.raises(InsufficientQuotaError):
            reserve("1", now=NOW + timedelta(minutes=minutes))
    rows = Refusal.objects.order_by("hour").values_list("team_id", "level", "subject_id", "hour", "refused")
    key = (cast.team.pk, Level.MEMBER, cast.member.pk)
    assert list(rows) == [(*key, NOW, 2), (*key, NOW + timedelta(hours=1), 1)]


def test_a_personal_space_has_its_tokens_and_its_balance(
    cast: Cast, reserve: Callable[..., Granted], limit: Callable[..., None]
) -> None:
    limit(Level.OWNER, "1")
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    token, _secret = create_token(by=SITE, team=space, user=cast.owner, name="laptop")
    levels = reserve("0.25", team=space, token=token).levels
    assert [(state.level, state.available_nanos) for state in levels] == [
        (Level.TOKEN, None),
        (Level.OWNER, nanos("0.75")),
    ]


def test_others_wait_for_two_trips_to_postgresql_and_a_commit(
    cast: Cast,
    django_assert_num_queries: DjangoAssertNumQueries,
    token_of: Callable[..., tuple[Token, str]],
    limit: Callable[..., None],
) -> None:
    token, _secret = token_of("member")
    for level in Level:
        limit(level, "10", token=token)
    wanted: dict[str, Any] = {
        "team": cast.team,
        "mode": 0,
        "user": cast.member,
        "token_id": token.pk,
        "now": NOW,
    }
    reserve_quota(wanted=Wanted(1, timedelta(minutes=10)), **wanted)  # which remembers the payer
    # The savepoint of the test's transaction is two.
    with django_assert_num_queries({"postgresql": 4}.get(connection.vendor, 7)):
        reserve_quota(wanted=Wanted(1, timedelta(minutes=10)), **wanted)


def test_rolling_back_gives_back_once(
    reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    first = reserve("1").reservation
    reserve("2")
    for _ in range(2):
        assert roll_back_reservation(reservation=first, now=NOW).state(NOW) == "rolled_back"
        assert level_of(Level.TEAM).reserved_nanos == nanos("2")


def test_rolling_back_what_has_lapsed_changes_nothing(reserve: Callable[..., Granted]) -> None:
    lapsed = reserve("1").reservation
    assert roll_back_reservation(reservation=lapsed, now=LATER).state(LATER) == "lapsed"
