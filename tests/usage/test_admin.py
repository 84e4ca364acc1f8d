"""Balances in the Django admin: set by staff through the action, and nothing else to edit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.users import create_user
from teams.models import Activity, Mode, Team, User
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import nanos
from usage.quotas.actions.granting import Granted
from usage.quotas.levels import LevelState
from usage.quotas.models import Level, Period, Quota

LIST = "/admin/usage/balance/"


def signed_in(**fields: Any) -> tuple[Client, User]:
    user = create_user(email="root@example.org", is_staff=True, verified=True, **fields)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client, user


@pytest.fixture
def root(cast: Cast) -> Client:
    return signed_in(is_superuser=True)[0]


@pytest.fixture
def space(cast: Cast) -> Team:
    """Olivia's, on which her team draws."""
    return Team.objects.get(owner=cast.owner, is_personal=True)


@pytest.fixture
def save(root: Client, space: Team) -> Callable[..., str]:
    """`save(limit="5")`: the form of Olivia's balance, sent; the page that follows."""

    def send(**fields: Any) -> str:
        return root.post(f"{LIST}{space.pk}/change/", fields, follow=True).content.decode()

    return send


@pytest.fixture
def spent(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """Mia's calls in the team: $2 live, $3 in test mode."""
    for mode, usd in ((Mode.LIVE, "2"), (Mode.TEST, "3")):
        call = ReportedCall(request_id="a", started_at=timezone.now(), model="m", cost_nanos=nanos(usd))
        record_calls([call], by=Caller(token=token_of("member", mode)[0]), now=timezone.now())


def test_a_balance_is_set_with_a_note_by_the_action(save: Callable[..., str], space: Team) -> None:
    page = save(limit=" $1,250.50 ", period="week", note="from the grant")
    assert "was changed successfully" in page
    quota = Quota.objects.get()
    assert (quota.team, quota.limit_nanos, quota.period) == (space, nanos("1250.50"), Period.WEEK)
    row = Activity.objects.get(kind="quota.changed")
    assert (row.actor.email, row.team, row.person) == ("root@example.org", space, space.owner)
    assert row.after["note"] == "from the grant"


def test_no_limit_takes_the_limit_away(save: Callable[..., str], limit: Callable[..., None]) -> None:
    limit(Level.OWNER, "10")
    save(unlimited="on", limit="10", period="month")
    assert not Quota.objects.exists()


def test_it_shows_what_is_used_and_reserved_of_live_and_test(
    root: Client, space: Team, spent: None, limit: Callable[..., None], reserve: Callable[..., Granted]
) -> None:
    limit(Level.OWNER, "10")
    reserve("0.75", now=timezone.now(), ttl=timedelta(minutes=30))
    for address in (LIST, f"{LIST}{space.pk}/change/"):
        page = root.get(address).content.decode()
        for words in ("$2.00", "$0.75", "$7.25"):
            assert words in page
    assert "$3.00" in page
    assert 'value="10.00"' in page
    assert "no calls are possible until the reset" in page


def test_a_limit_below_what_is_used_is_allowed(
    save: Callable[..., str], spent: None, level_of: Callable[..., LevelState]
) -> None:
    save(limit="1", period="month")
    assert level_of(Level.OWNER, now=timezone.now()).available_nanos == 0


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("", "Give an amount"),
        ("-1", "negative"),
        ("ten", "such as 12.50"),
        ("1e9", "such as 12.50"),
        ("0.0000000001", "9 decimals"),
        ("99999999999", "at most $10,000,000"),
    ],
)
def test_an_amount_that_is_none_stays_in_the_form_with_its_error(
    save: Callable[..., str], amount: str, words: str
) -> None:
    page = save(limit=amount, period="week", note="kept")
    assert words in page
    assert 'value="kept"' in page
    assert not Quota.objects.exists()


def test_only_personal_spaces_are_balances(root: Client, cast: Cast) -> None:
    assert "harbour" not in root.get(LIST).content.decode().lower()
    assert root.get(f"{LIST}{cast.team.pk}/change/").status_code == 302
    root.post(f"{LIST}{cast.team.pk}/change/", {"limit": "5", "period": "month"})
    assert not Quota.objects.exists()


def test_a_refusal_of_the_action_is_told_and_changes_nothing(save: Callable[..., str], space: Team) -> None:
    Team.objects.filter(pk=space.pk).update(deleted_at=timezone.now())
    assert "This team has been deleted." in save(limit="5", period="month")
    assert not Quota.objects.exists()


def test_nothing_else_of_it_can_be_edited_added_or_deleted(
    root: Client, save: Callable[..., str], space: Team
) -> None:
    page = root.get(f"{LIST}{space.pk}/change/").content.decode()
    for name in ("name", "slug", "owner", "time_zone", "is_personal"):
        assert f'name="{name}"' not in page
    save(limit="5", period="month", name="Hacked", owner="1", slug="hacked")
    space.refresh_from_db()
    assert (space.name, space.owner.email) == ("Personal space", "olivia@example.org")
    assert root.get(f"{LIST}add/").status_code == 403
    assert root.post(f"{LIST}{space.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(("right", "sees", "sets"), [("", 403, 403), ("view", 200, 403), ("change", 200, 302)])
def test_staff_need_djangos_permission(cast: Cast, space: Team, right: str, sees: int, sets: int) -> None:
    client, user = signed_in()
    if right:
        user.user_permissions.add(Permission.objects.get(codename=f"{right}_balance"))
    address = f"{LIST}{space.pk}/change/"
    assert client.get(LIST).status_code == sees
    assert client.get(address).status_code == sees
    assert client.post(address, {"limit": "5", "period": "month"}).status_code == sets
    assert Quota.objects.exists() == (sets == 302)


def test_a_list_of_balances_is_read_at_once(
    root: Client, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    root.get(LIST)
    with django_assert_num_queries(6):  # session, user, two counts, rows, levels
        root.get(LIST)
