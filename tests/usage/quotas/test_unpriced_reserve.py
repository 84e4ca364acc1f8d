"""Reserving for calls whose price depends on more than a name, or is not known at all."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from teams.errors import ActionError, NotAllowedError
from teams.models import Activity
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import nanos, text_of
from usage.prices.models import Price
from usage.quotas.actions.unpriced import set_unpriced_reserve, unpriced_reserve_of
from usage.quotas.models import Level, Refusal


@pytest.fixture
def reserve(
    api: Callable[..., tuple[Any, Any]], token_of: Callable[..., tuple[Token, str]]
) -> Callable[..., Any]:
    """`reserve(model=…)`: status and answer to Mia's token, for a million tokens of input unless said."""
    secret = token_of("member")[1]
    return lambda **body: api(secret, "POST", "reservations", {"input_tokens": 1_000_000, **body})


def site_price(model: str, usd: str) -> None:
    since = timezone.now() - timedelta(days=1)
    Price.objects.create(model=model, input_usd=Decimal(usd), output_usd=0, valid_from=since)


@pytest.mark.parametrize(
    ("body", "usd"),
    [
        ({"model": "gpt-oss-120b", "provider": "fireworks_ai"}, "0.15"),
        ({"model": "openai/gpt-4o"}, "2.50"),
        ({"model": "models/gemini-2.5-flash", "provider": "google"}, "0.30"),
        ({"model": "prod-chat", "provider": "azure", "response_model": "gpt-4o-mini-2024-07-18"}, "0.15"),
        ({"model": "gpt-5", "service_tier": "flex"}, "0.625000"),
    ],
)
def test_the_price_is_looked_up_as_for_a_recorded_call(
    reserve: Callable[..., Any], body: dict[str, str], usd: str
) -> None:
    status, answer = reserve(**body)
    assert (status, answer["amount_usd"], answer["unpriced"]) == (201, usd, False)


@pytest.mark.parametrize(
    "body",
    [
        {"model": "prod-chat"},
        {"model": "deepseek-r1:14b", "provider": "ollama"},
        {"model": "whisper-1", "provider": "openai"},
        {"model": "gpt-4o-mini", "provider": "deepinfra"},
    ],
)
def test_what_has_no_price_reserves_five_cents_and_says_so(
    reserve: Callable[..., Any], body: dict[str, str]
) -> None:
    status, answer = reserve(**body)
    assert (status, answer["amount_usd"], answer["unpriced"]) == (201, "0.05", True)


def test_a_team_says_how_much_that_is(cast: Cast, act: Callable[..., Any], reserve: Callable[..., Any]) -> None:
    set_unpriced_reserve(by=act("administrator"), team=cast.team, usd=Decimal("0.20"))
    assert reserve(model="prod-chat")[1]["amount_usd"] == "0.20"
    row = Activity.objects.latest("pk")
    assert (row.kind, row.before, row.after) == (
        "quota.unpriced_changed",
        {"usd": "0.05"},
        {"usd": "0.20"},
    )
    rows = Activity.objects.count()
    set_unpriced_reserve(by=act("administrator"), team=cast.team, usd=Decimal("0.2"))
    assert Activity.objects.count() == rows


def test_nothing_is_reserved_where_the_team_says_0(
    cast: Cast, act: Callable[..., Any], reserve: Callable[..., Any], limit: Callable[..., None]
) -> None:
    set_unpriced_reserve(by=act("owner"), team=cast.team, usd=Decimal(0))
    limit(Level.TEAM, "0.01")
    assert [reserve(model="prod-chat")[0] for _call in range(3)] == [201, 201, 201]
    limit(Level.TEAM, "0")
    assert reserve(model="prod-chat")[0] == 429


def test_many_calls_of_an_alias_at_once_do_not_pass_a_limit(
    reserve: Callable[..., Any], limit: Callable[..., None]
) -> None:
    limit(Level.MEMBER, "0.12")
    statuses = [reserve(model="prod-chat")[0] for _call in range(4)]
    assert statuses == [201, 201, 429, 429]


def test_at_a_used_up_quota_an_unpriced_call_is_refused_like_any_other(
    reserve: Callable[..., Any], limit: Callable[..., None]
) -> None:
    limit(Level.TEAM, "0")
    status, answer = reserve(model="whisper-1")
    assert (status, answer["error"]["code"], answer["error"]["level"]) == (429, "insufficient_quota", "team")
    assert Refusal.objects.get().refused == 1


@pytest.mark.parametrize(("usd", "amount"), [("0", "0.00"), ("0.10", "0.10")])
def test_a_model_with_a_site_price_counts_as_priced_also_at_0(
    reserve: Callable[..., Any], usd: str, amount: str
) -> None:
    site_price("prod-chat", usd)
    status, answer = reserve(model="prod-chat")
    assert (status, answer["amount_usd"], answer["unpriced"]) == (201, amount, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("provider", 7), ("provider", "x" * 65), ("response_model", []), ("service_tier", "fast")],
)
def test_a_wrong_name_is_refused(reserve: Callable[..., Any], field: str, value: int | str | list[Any]) -> None:
    status, answer = reserve(model="gpt-4o", **{field: value})
    assert (status, answer["error"]["param"]) == (400, field)


# --- The team's amount --------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["member", "former", "outsider"])
def test_members_do_not_set_it(cast: Cast, act: Callable[..., Any], who: str) -> None:
    with pytest.raises(NotAllowedError):
        set_unpriced_reserve(by=act(who), team=cast.team, usd=Decimal(1))


@pytest.mark.parametrize("usd", ["-1", "10000001", "0.0000000001", "NaN"])
def test_what_is_no_amount_is_refused(cast: Cast, act: Callable[..., Any], usd: str) -> None:
    with pytest.raises(ActionError) as error:
        set_unpriced_reserve(by=act("owner"), team=cast.team, usd=Decimal(usd))
    assert error.value.field == "amount"
    assert unpriced_reserve_of(cast.team) == nanos("0.05")


@pytest.fixture
def post(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    address = reverse("usage:quotas-unpriced", args=[cast.team.slug])
    return lambda who, amount: client_of(who).post(address, {"unpriced-amount": amount})


@pytest.mark.parametrize("who", ["owner", "administrator"])
def test_it_is_set_on_the_page_of_quotas(
    cast: Cast, post: Callable[..., Any], see: Callable[..., Any], who: str
) -> None:
    assert 'value="0.05"' in text_of(see(who, "quotas"))
    assert post(who, "$1.25").status_code == 302
    assert unpriced_reserve_of(cast.team) == nanos("1.25")
    page = text_of(see(who, "quotas"))
    assert 'value="1.25"' in page
    assert "changed the amount reserved for calls without a price" in page


@pytest.mark.parametrize("amount", ["", "much", "-1"])
def test_a_wrong_amount_stays_in_its_field(cast: Cast, post: Callable[..., Any], amount: str) -> None:
    page = text_of(post("owner", amount), 422)
    assert f'name="unpriced-amount" value="{amount}"' in page or not amount
    assert unpriced_reserve_of(cast.team) == nanos("0.05")


def test_a_member_gets_no_further(post: Callable[..., Any]) -> None:
    assert post("member", "1").status_code == 403
