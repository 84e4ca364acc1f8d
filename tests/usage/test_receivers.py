"""What `usage` does when something happens in `teams`."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils import timezone
from pytest_django import Settings

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.members import leave_team, remove_member
from teams.actions.teams import delete_team, purge_teams
from teams.actions.users import create_user
from teams.models import Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import NOW, nanos
from usage.quotas.actions.granting import Granted
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Quota, QuotaUse, ReservedSum
from usage.rollups.cache import stamp_past
from usage.rollups.models import ROLLUPS, PastStamp


def test_who_leaves_or_is_removed_gives_back_what_they_reserved(
    cast: Cast, act: Callable[..., Any], reserve: Callable[..., Granted], level_of: Callable[..., LevelState]
) -> None:
    now = timezone.now()
    mine = reserve("1", now=now).reservation
    theirs = reserve("2", user=cast.administrator, now=now).reservation
    other_team = Team.objects.get(owner=cast.member, is_personal=True)
    elsewhere = reserve("4", team=other_team, now=now).reservation
    remove_member(by=act("owner"), team=cast.team, user=cast.member, now=now)
    assert level_of(Level.TEAM, now=now).reserved_nanos == nanos("2")
    leave_team(by=act("administrator"), team=cast.team, now=now)
    assert level_of(Level.TEAM, now=now).reserved_nanos == 0
    for reservation in (mine, theirs, elsewhere):
        reservation.refresh_from_db()
    states = [reservation.state(now) for reservation in (mine, theirs, elsewhere)]
    assert states == ["rolled_back", "rolled_back", "open"]


def test_new_users_get_the_balance_of_the_setting(settings: Settings, db: None) -> None:
    settings.DEFAULT_BALANCE_USD = Decimal("12.5")
    space = Team.objects.get(owner=create_user(email="new@example.org"), is_personal=True)
    quota = Quota.objects.get(team=space)
    assert (quota.limit_nanos, quota.period) == (nanos("12.5"), "month")


def test_without_the_setting_new_users_are_unlimited(settings: Settings, db: None) -> None:
    settings.DEFAULT_BALANCE_USD = None
    create_user(email="new@example.org")
    assert not Quota.objects.exists()


def test_the_records_of_a_purged_team_go_and_the_balance_keeps_what_it_paid(
    cast: Cast,
    act: Callable[..., Any],
    reserve: Callable[..., Granted],
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token, _secret = token_of("member")
    reserve("1", token=token)
    call = ReportedCall(request_id="a", started_at=NOW, model="m", cost_nanos=5)
    record_calls([call], by=Caller(token=token), now=NOW)
    stamp_past(team_id=cast.team.pk, mode=Mode.LIVE)
    delete_team(by=act("owner"), team=cast.team, typed_name=cast.team.name, now=NOW)
    purge_teams(now=NOW + timedelta(days=31))
    tables: list[type[Model]] = [*ROLLUPS, PastStamp]
    assert [table._default_manager.count() for table in tables] == [0] * len(tables)
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    assert set(QuotaUse.objects.values_list("team_id", "level")) == {(space.pk, Level.OWNER)}
    assert set(ReservedSum.objects.values_list("team_id", flat=True)) == {space.pk}
