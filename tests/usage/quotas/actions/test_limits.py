"""Setting quotas: who may, what amounts may be, what is written down."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from teams.activity import Actor
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Activity, Membership, Team, Token
from tests.conftest import Cast
from tests.usage.conftest import NOW, nanos
from usage.quotas.actions.granting import Granted
from usage.quotas.actions.limits import (
    Limit,
    set_balance,
    set_member_quota,
    set_member_quotas,
    set_team_quota,
    set_token_quota,
)
from usage.quotas.actions.reservations import InsufficientQuotaError
from usage.quotas.models import Level, Period, Quota

TEN = Limit(Decimal(10), Period.WEEK)


@pytest.mark.parametrize(
    ("who", "whose", "allowed"),
    [
        ("owner", "owner", True),
        ("owner", "administrator", True),
        ("owner", "member", True),
        ("administrator", "owner", False),
        ("administrator", "administrator", True),
        ("administrator", "member", True),
        ("member", "member", False),
        ("member", "administrator", False),
        ("former", "member", False),
        ("outsider", "member", False),
    ],
)
def test_who_limits_which_member(
    cast: Cast, act: Callable[..., Any], who: str, whose: str, allowed: bool
) -> None:
    wanted: dict[str, Any] = {"team": cast.team, "user": cast.user(whose), "limit": TEN, "now": NOW}
    if allowed:
        quota = set_member_quota(by=act(who), **wanted)
        assert (quota.limit_nanos, quota.period, quota.level) == (nanos("10"), Period.WEEK, Level.MEMBER)
        assert (quota.changed_by, quota.changed_at) == (cast.user(who), NOW)
    else:
        with pytest.raises(NotAllowedError):
            set_member_quota(by=act(who), **wanted)
        assert not Quota.objects.exists()


@pytest.mark.parametrize(
    ("who", "whose", "allowed"),
    [
        ("owner", "administrator", True),
        ("administrator", "owner", False),
        ("administrator", "member", True),
        ("member", "member", True),  # their own, which has none
        ("member", "administrator", False),
        ("former", "former", False),
        ("outsider", "member", False),
    ],
)
def test_who_limits_which_token(
    cast: Cast,
    act: Callable[..., Any],
    token_of: Callable[..., tuple[Token, str]],
    who: str,
    whose: str,
    allowed: bool,
) -> None:
    if whose == "former":
        Membership.objects.create(team=cast.team, user=cast.former)
    token, _secret = token_of(whose)
    Membership.objects.filter(team=cast.team, user=cast.former).delete()
    if allowed:
        assert set_token_quota(by=act(who), token=token, limit=TEN, now=NOW).level == Level.TOKEN
    else:
        with pytest.raises(NotAllowedError):
            set_token_quota(by=act(who), token=token, limit=TEN, now=NOW)


def test_a_holder_cannot_change_the_limit_a_token_has(
    cast: Cast, act: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    set_token_quota(by=act("member"), token=token, limit=TEN, now=NOW)
    for limit in (None, Limit(Decimal(99))):
        with pytest.raises(NotAllowedError):
            set_token_quota(by=act("member"), token=token, limit=limit, now=NOW)
    assert set_token_quota(by=act("administrator"), token=token, limit=None, now=NOW) is None


@pytest.mark.parametrize(
    ("who", "allowed"),
    [("owner", True), ("administrator", False), ("member", False), ("former", False), ("outsider", False)],
)
def test_the_teams_quota_is_the_owners_to_set(
    cast: Cast, act: Callable[..., Any], who: str, allowed: bool
) -> None:
    if allowed:
        assert set_team_quota(by=act(who), team=cast.team, limit=TEN, now=NOW).level == Level.TEAM
    else:
        with pytest.raises(NotAllowedError):
            set_team_quota(by=act(who), team=cast.team, limit=TEN, now=NOW)


def test_a_balance_is_set_by_site_staff_only(cast: Cast, act: Callable[..., Any]) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    with pytest.raises(NotAllowedError):
        set_balance(by=act("owner"), space=space, limit=TEN, now=NOW)
    with pytest.raises(NotAllowedError):
        set_team_quota(by=act("owner"), team=space, limit=TEN, now=NOW)
    cast.outsider.is_staff = True
    with pytest.raises(NotAllowedError):  # staff at work elsewhere than in the admin
        set_balance(by=act("outsider"), space=space, limit=TEN, now=NOW)
    set_balance(by=Actor(cast.outsider, as_staff=True), space=space, limit=TEN, now=NOW)
    with pytest.raises(ActionError, match="personal space"):
        set_balance(by=Actor(cast.outsider, as_staff=True), space=cast.team, limit=TEN, now=NOW)


def test_a_personal_space_has_no_member_quota(cast: Cast, act: Callable[..., Any]) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    with pytest.raises(ActionError, match="Set the quotas of its tokens"):
        set_member_quota(by=act("owner"), team=space, user=cast.owner, limit=TEN, now=NOW)


def test_a_change_holds_at_once_and_none_removes_the_limit(
    cast: Cast, act: Callable[..., Any], reserve: Callable[..., Granted]
) -> None:
    for limit, covered in [
        (Limit(Decimal(0)), False),
        (None, True),
        (Limit(Decimal("0.5")), True),
        (TEN, True),
    ]:
        set_member_quota(by=act("owner"), team=cast.team, user=cast.member, limit=limit, now=NOW)
        if covered:
            reserve("0.1")
        else:
            with pytest.raises(InsufficientQuotaError):
                reserve("0.1")
    assert Quota.objects.count() == 1


def test_what_changed_is_in_the_activity_with_before_after_and_note(
    cast: Cast, act: Callable[..., Any]
) -> None:
    wanted: dict[str, Any] = {"team": cast.team, "user": cast.member, "now": NOW}
    set_member_quota(by=act("owner"), limit=TEN, note=" runaway script ", **wanted)
    set_member_quota(by=act("administrator"), limit=Limit(Decimal("2.5")), **wanted)
    set_member_quota(by=act("administrator"), limit=Limit(Decimal("2.50")), **wanted)  # no change
    set_member_quota(by=act("administrator"), limit=None, **wanted)
    rows = Activity.objects.filter(kind="quota.changed").order_by("id")
    ten, two = {"limit_usd": "10.00", "period": "week"}, {"limit_usd": "2.50", "period": "month"}
    nothing = {"limit_usd": None, "period": None}
    member = {"level": "member"}
    assert [(row.actor, row.before, row.after) for row in rows] == [
        (cast.owner, nothing, member | ten | {"note": "runaway script"}),
        (cast.administrator, ten, member | two),
        (cast.administrator, two, member | nothing),
    ]
    assert {(row.team, row.person, row.subject, row.ip) for row in rows} == {
        (cast.team, cast.member, "mia@example.org", "198.51.100.7")
    }


@pytest.mark.parametrize("usd", ["-1", "10000000.01", "0.0000000001", "NaN", "Infinity", "1E+30"])
def test_amounts_that_are_none_are_refused_at_the_field(cast: Cast, act: Callable[..., Any], usd: str) -> None:
    limit = Limit(Decimal(usd))
    with pytest.raises(ActionError) as refused:
        set_member_quota(by=act("owner"), team=cast.team, user=cast.member, limit=limit, now=NOW)
    assert refused.value.field == "limit"
    assert not Activity.objects.filter(kind="quota.changed").exists()


def test_who_left_and_a_revoked_token_cannot_be_limited(
    cast: Cast, act: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    with pytest.raises(ConflictError):
        set_member_quota(by=act("owner"), team=cast.team, user=cast.former, limit=TEN, now=NOW)
    token, _secret = token_of("member")
    Token.objects.update(revoked_at=NOW)
    with pytest.raises(ConflictError):
        set_token_quota(by=act("owner"), token=token, limit=TEN, now=NOW)


def test_many_members_are_limited_all_or_none(cast: Cast, act: Callable[..., Any]) -> None:
    limits = [(cast.member, TEN), (cast.administrator, None), (cast.owner, Limit(Decimal(-1)))]
    with pytest.raises(ActionError):
        set_member_quotas(by=act("owner"), team=cast.team, limits=limits, now=NOW)
    assert not Quota.objects.exists()
    set_member_quotas(by=act("owner"), team=cast.team, limits=limits[:2], now=NOW + timedelta(days=1))
    assert Quota.objects.get().membership.user == cast.member
