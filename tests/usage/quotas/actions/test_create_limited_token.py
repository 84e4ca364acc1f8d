"""Making a token with a limit: both or neither."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from teams.errors import ActionError, NotAllowedError
from teams.models import Activity, Mode, Team, Token
from tests.conftest import Cast
from tests.usage.conftest import NOW, nanos
from usage.quotas.actions.granting import Granted
from usage.quotas.actions.limits import Limit
from usage.quotas.actions.reservations import InsufficientQuotaError
from usage.quotas.actions.tokens import create_limited_token
from usage.quotas.models import Level, Period, Quota

FIVE = Limit(Decimal(5), Period.WEEK)


@pytest.fixture
def make(cast: Cast, act: Callable[..., Any]) -> Callable[..., tuple[Token, str]]:
    """`make("member")`: a token of that person for themselves with a limit of $5 a week."""

    def create(who: Any, whose: Any = None, **wanted: Any) -> tuple[Token, str]:
        values: dict[str, Any] = {"team": cast.team, "name": "laptop", "limit": FIVE, "now": NOW} | wanted
        return create_limited_token(by=act(who), user=cast.user(whose or who), **values)

    return create


@pytest.mark.parametrize("who", ["owner", "administrator", "member"])
def test_everybody_in_the_team_limits_the_token_they_make(
    make: Callable[..., tuple[Token, str]], who: str
) -> None:
    token, secret = make(who, mode=Mode.TEST)
    assert secret.startswith("cb_test_")
    quota = Quota.objects.get(token=token)
    assert (quota.limit_nanos, quota.period, quota.level) == (nanos("5"), Period.WEEK, Level.TOKEN)
    kinds = Activity.objects.filter(subject="laptop").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["token.created", "quota.changed"]


def test_the_limit_holds_from_the_first_reservation_on(
    make: Callable[..., tuple[Token, str]], reserve: Callable[..., Granted]
) -> None:
    token, _secret = make("member")
    reserve("5", token=token)
    with pytest.raises(InsufficientQuotaError) as refused:
        reserve("0.000000001", token=token)
    assert refused.value.state.level == Level.TOKEN


def test_without_a_limit_it_is_a_token_like_any(make: Callable[..., tuple[Token, str]]) -> None:
    token, _secret = make("member", limit=None)
    assert Token.objects.get() == token
    assert not Quota.objects.exists()
    assert not Activity.objects.filter(kind="quota.changed").exists()


def test_a_personal_space_has_limited_tokens_too(cast: Cast, make: Callable[..., tuple[Token, str]]) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    token, _secret = make("member", team=space)
    assert Quota.objects.get().token == token


@pytest.mark.parametrize(
    ("who", "whose", "error"),
    [
        ("owner", "member", NotAllowedError),
        ("member", "owner", NotAllowedError),
        ("former", "former", ActionError),
        ("outsider", "outsider", ActionError),
    ],
)
def test_nobody_makes_one_for_somebody_else_or_from_outside(
    make: Callable[..., tuple[Token, str]], who: str, whose: str, error: Any
) -> None:
    with pytest.raises(error):
        make(who, whose)
    assert not Token.objects.exists()


@pytest.mark.parametrize("usd", ["-1", "10000001", "0.0000000001"])
def test_an_amount_that_is_none_makes_no_token_either(make: Callable[..., tuple[Token, str]], usd: str) -> None:
    with pytest.raises(ActionError) as refused:
        make("member", limit=Limit(Decimal(usd)))
    assert refused.value.field == "limit"
    assert not Token.objects.exists()
    assert not Activity.objects.filter(kind="token.created").exists()
