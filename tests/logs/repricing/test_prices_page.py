"""The page of prices in the Django admin."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from html import unescape
from itertools import count
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from logs.models import Call
from logs.repricing import price_again
from teams.actions.users import create_user
from teams.models import Activity, Mode
from teams.models.keys import Token
from teams.support_group import support_group
from tests.logs.conftest import NOW
from tests.usage.conftest import text_of
from usage.prices.models import Price, PricedBy

PAGE = "/admin/prices/"


@pytest.fixture(autouse=True)
def at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def signed_in(**rights: Any) -> Client:
    user = create_user(is_staff=True, verified=True, **rights)
    if not user.is_superuser:
        user.groups.add(support_group())
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root(db: None) -> Client:
    return signed_in(email="root@example.org", is_superuser=True)


@pytest.fixture
def support(db: None) -> Client:
    return signed_in(email="support@example.org")


def row_of(page: str, model: str) -> str:
    """The text of a model's row."""
    (row,) = [one for one in page.split("<tr") if f"{model}\n" in one and 'scope="row"' in one]
    return unescape(row)


def test_each_model_in_use_has_its_price_source_and_date(record: Any, root: Client) -> None:
    record("member", "a", provider="openai")
    record("member", "b", model="prod-chat", provider="azure", response_model="gpt-4o-2024-08-06")
    record("member", "c", model="house")
    page = text_of(root.get(PAGE))
    listed = row_of(page, "gpt-4o-mini")
    for words in ("input $0.15", "output $0.6", "cached $0.075", "openai/gpt-4o-mini in genai-prices"):
        assert words in listed
    assert "latest call: the public price list" in listed
    alias = row_of(page, "prod-chat")
    for words in ("answered by gpt-4o-2024-08-06", "azure/gpt-4o in genai-prices", "input $2.5"):
        assert words in alias
    unknown = row_of(page, "house")
    assert "none" in unknown
    assert "latest call: unpriced" in unknown


def test_a_site_price_is_named_with_its_date(record: Any, root: Client) -> None:
    record("member", "a", model="house")
    Price.objects.create(model="house", input_usd=Decimal(3), output_usd=Decimal(4), valid_from=NOW)
    row = row_of(text_of(root.get(PAGE)), "house")
    for words in ("the site's price", "2026-11-20", "input $3", "output $4"):
        assert words in row


def test_calls_without_a_price_and_at_0_are_counted(record: Any, root: Client) -> None:
    for number in range(3):
        record("member", f"u{number}", model="house")
    record("member", "zero", cost_nanos=0)
    page = text_of(root.get(PAGE))
    assert "3\n" in row_of(page, "house")
    assert "1; by list $0.000450" in row_of(page, "gpt-4o-mini")


def test_the_row_of_a_model_leads_to_pricing_its_calls_again(record: Any, root: Client) -> None:
    record("member", "a", model="org/house 7b")
    link = "?model=org%2Fhouse%207b#again"
    assert link in text_of(root.get(PAGE))
    assert 'name="model" value="org/house 7b"' in text_of(root.get(PAGE, {"model": "org/house 7b"}))


def test_other_times_and_modes_are_not_counted(
    record: Any, root: Client, token_of: Callable[..., tuple[Token, str]]
) -> None:
    record("member", "old", minutes=31 * 24 * 60, model="old")
    record("member", "test", model="tried", token=token_of("member", mode=Mode.TEST)[0])
    page = text_of(root.get(PAGE))
    assert "No model was called." in page


def test_it_takes_one_query_for_each_model_on_it(
    record: Any, root: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        record("member", f"r{number}", model=f"model-{number}")
    root.get(PAGE)
    with django_assert_num_queries(7 + 4):
        root.get(PAGE)


def set_in_row(client: Client, **fields: Any) -> Any:
    row: dict[str, Any] = {"model": "house", "valid_from": "2026-10-22", "input_usd": "1", "output_usd": "2"}
    return client.post(f"{PAGE}set/", {**row, **fields}, follow=True)


def price_them_again(client: Client, **fields: Any) -> Any:
    period: dict[str, Any] = {"since": "2026-10-22", "until": "2026-11-20", "model": "", "after": ""}
    return client.post(f"{PAGE}again/", {**period, **fields}, follow=True)


def test_a_price_is_set_in_the_row_and_the_calls_priced_by_it(record: Any, root: Client) -> None:
    record("member", "a", model="house")
    assert "The price of house was set." in text_of(set_in_row(root))
    price = Price.objects.get()
    assert (price.model, price.valid_from.date()) == ("house", date(2026, 10, 22))
    assert "One call was priced: " in text_of(price_them_again(root))
    assert Call.objects.values_list("cost_nanos", "priced_by").get() == (2_000_000, PricedBy.SITE)
    assert set(Activity.objects.values_list("kind", flat=True)) >= {"price.created", "price.applied"}


@pytest.mark.parametrize(
    "fields",
    [
        {"input_usd": "-1"},
        {"input_usd": "much"},
        {"valid_from": "yesterday"},
        {"model": ""},
        {"output_usd": ""},
    ],
)
def test_a_wrong_price_is_told(root: Client, fields: dict[str, str]) -> None:
    response = set_in_row(root, **fields)
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert not Price.objects.exists()


def test_two_prices_from_one_moment_on_are_refused(root: Client) -> None:
    set_in_row(root)
    assert set_in_row(root).status_code == 422
    assert Price.objects.count() == 1


@pytest.mark.parametrize(
    "fields", [{"since": "x"}, {"until": "2026-01-01"}, {"after": "x"}, {"after": "1:0:1"}, {"after": "a:b:c"}]
)
def test_a_wrong_period_is_told(root: Client, fields: dict[str, str]) -> None:
    response = price_them_again(root, **fields)
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()


def test_a_run_that_is_not_done_goes_on_by_the_same_button(
    record: Any, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    record("member", "a", model="house")
    set_in_row(root)
    monkeypatch.setattr(price_again, "monotonic", map(float, count(0, 90)).__next__)
    page = text_of(price_them_again(root))
    assert "press the button again to go on" in page
    after = page.split('name="after" value="')[1].split('"')[0]
    monkeypatch.undo()
    assert "One call was priced: " in text_of(price_them_again(root, after=after))


def test_support_staff_read_it_and_set_nothing(record: Any, support: Client) -> None:
    record("member", "a", model="house")
    page = text_of(support.get(PAGE))
    assert "house" in page
    assert "Set price" not in page
    assert "again" not in page
    assert set_in_row(support).status_code == 403
    assert price_them_again(support).status_code == 403
    assert not Price.objects.exists()


@pytest.mark.parametrize("who", ["owner", "member"])
def test_nobody_else_gets_in(client_of: Callable[..., Client], who: str) -> None:
    for address in (PAGE, f"{PAGE}set/", f"{PAGE}again/"):
        response = client_of(who).post(address) if address != PAGE else client_of(who).get(address)
        assert response.status_code == 302
        assert "login" in response["Location"]


def test_the_list_of_site_prices_leads_there(root: Client) -> None:
    assert f'href="{PAGE}"' in root.get("/admin/usage/price/").content.decode()
