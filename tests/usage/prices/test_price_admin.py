"""The site's prices in the Django admin: superusers add and delete them, support staff look."""

import pytest
from django.test import Client

from teams.actions.users import create_user
from teams.models import Activity, User
from teams.support_group import support_group
from usage.prices.models import Price

LIST = "/admin/usage/price/"
FIELDS = {
    "model": "house",
    "valid_from_0": "2026-11-01",
    "valid_from_1": "00:00",
    "input_usd": "2",
    "output_usd": "6.5",
    "cached_usd": "",
    "cache_write_usd": "",
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root(db: None) -> Client:
    return signed_in(create_user(email="root@example.org", is_staff=True, is_superuser=True, verified=True))


@pytest.fixture
def support(db: None) -> Client:
    user = create_user(email="support@example.org", is_staff=True, verified=True)
    user.groups.add(support_group())
    return signed_in(user)


def test_a_superuser_adds_one_by_the_action(root: Client) -> None:
    page = root.post(f"{LIST}add/", FIELDS, follow=True).content.decode()
    assert "was added successfully" in page
    assert str(Price.objects.get().output_usd) == "6.500000"
    assert Activity.objects.get(kind="price.created").actor.email == "root@example.org"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("input_usd", "-1", "greater than or equal to 0"),
        ("input_usd", "much", "Enter a number."),
        ("model", "", "This field is required."),
        ("model", "x" * 129, "at most 128 characters"),
        ("valid_from_0", "yesterday", "Enter a valid date."),
        ("output_usd", "12345678", "no more than 6 digits before the decimal point"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(root: Client, field: str, value: str, words: str) -> None:
    page = root.post(f"{LIST}add/", FIELDS | {field: value}, follow=True).content.decode()
    assert words in page
    assert not Price.objects.exists()


def test_two_from_one_moment_on_are_refused(root: Client) -> None:
    root.post(f"{LIST}add/", FIELDS)
    page = root.post(f"{LIST}add/", FIELDS | {"input_usd": "3"}, follow=True).content.decode()
    assert "already exists" in page
    assert Price.objects.count() == 1


def test_a_superuser_deletes_one_or_several(root: Client) -> None:
    for model in ("a", "b", "c"):
        root.post(f"{LIST}add/", FIELDS | {"model": model})
    first, *others = Price.objects.order_by("model")
    root.post(f"{LIST}{first.pk}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [one.pk for one in others], "post": "yes"}
    root.post(LIST, chosen)
    assert not Price.objects.exists()
    assert Activity.objects.filter(kind="price.deleted").count() == 3


def test_a_price_is_not_changed(root: Client) -> None:
    root.post(f"{LIST}add/", FIELDS)
    page = f"{LIST}{Price.objects.get().pk}/change/"
    assert root.post(page, FIELDS | {"input_usd": "9"}).status_code == 403
    assert Price.objects.get().input_usd == 2


def test_support_staff_look_and_no_more(support: Client, root: Client) -> None:
    root.post(f"{LIST}add/", FIELDS)
    one = Price.objects.get()
    assert "house" in support.get(LIST).content.decode()
    assert support.get(f"{LIST}{one.pk}/change/").status_code == 200
    assert support.get(f"{LIST}add/").status_code == 403
    assert support.post(f"{LIST}add/", FIELDS).status_code == 403
    assert support.post(f"{LIST}{one.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Price.objects.count() == 1
