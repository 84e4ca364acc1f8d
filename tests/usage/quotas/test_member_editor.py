"""Edit member's quota and role, in a row or as a page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from teams.actions.users import create_user
from teams.models import Membership, Role, Team
from tests.conftest import Cast
from tests.usage.conftest import HTMX, nanos, text_of
from usage.quotas.models import Level, Period, Quota


@pytest.fixture
def edit(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`edit("owner", "member", limit="5")`: what that person gets who edits another; GET without fields."""

    def ask(who: Any, whom: str = "member", query: str = "", htmx: bool = True, **fields: Any) -> Any:
        address = reverse("usage:member-editor", args=[cast.team.slug, cast.user(whom).public_id])
        client, headers = client_of(who), HTMX if htmx else {}
        if fields:
            return client.post(f"{address}?{query}", fields, headers=headers)
        return client.get(f"{address}?{query}", headers=headers)

    return ask


def test_it_opens_as_a_row_in_place_of_the_hidden_one(
    cast: Cast, edit: Callable[..., Any], limit: Callable[..., None]
) -> None:
    limit(Level.MEMBER, "30", Period.WEEK)
    row = text_of(edit("owner"))
    user_id = cast.member.public_id
    assert row.strip().startswith(f'<tr id="editor-{user_id}">')
    assert 'value="30.00"' in row
    assert '<option value="week" selected>' in row
    assert "$0.00 used so far." in row
    assert "Nothing was used in the last 7 days." in row
    assert "<html" not in row
    assert f'hx-target="#editor-{user_id}"' in row


@pytest.mark.parametrize(("page", "back"), [("usage:ranking", "ranking"), ("teams:members", "members")])
@pytest.mark.parametrize("who", ["owner", "administrator"])
def test_both_pages_have_the_menu_and_the_place(
    cast: Cast, calls: None, client_of: Callable[..., Client], page: str, back: str, who: str
) -> None:
    shown = text_of(client_of(who).get(reverse(page, args=[cast.team.slug])))
    user_id = cast.member.public_id
    assert f'<tr id="editor-{user_id}" hidden>' in shown
    assert f'id="quota-of-{user_id}"' in shown
    assert f'id="role-of-{user_id}"' in shown
    assert shown.count(f"{user_id}/edit/?back={back}") == 4  # adjust quota, change role; link and htmx
    if page == "teams:members":  # an administrator changes nothing of the owner
        assert (f"{cast.owner.public_id}/edit/" in shown) == (who == "owner")


def test_saving_puts_the_editor_away_and_renews_the_cells_of_the_row(
    cast: Cast, edit: Callable[..., Any]
) -> None:
    answer = text_of(edit("owner", limit="12.50", period="week", role="administrator", note="heavy use"))
    user_id = cast.member.public_id
    assert f'<tr id="editor-{user_id}" hidden>' in answer
    assert f'<div id="quota-of-{user_id}" hx-swap-oob="true">' in answer
    assert "/ $12.50" in answer
    assert f'<span id="role-of-{user_id}" hx-swap-oob="true"><span class="badge badge-administrator">' in answer
    quota = Quota.objects.get()
    assert (quota.limit_nanos, quota.period) == (nanos("12.50"), Period.WEEK)
    assert Membership.objects.get(team=cast.team, user=cast.member).role == Role.ADMINISTRATOR


def test_no_limit_removes_it(edit: Callable[..., Any], limit: Callable[..., None]) -> None:
    limit(Level.MEMBER, "30")
    text_of(edit("owner", unlimited="on", limit="30", period="month", role="member"))
    assert not Quota.objects.exists()


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("", "Give an amount"),
        ("  ", "Give an amount"),
        ("-1", "negative"),
        ("ten", "such as 12.50"),
        ("1e9", "such as 12.50"),
        ("0.0000000001", "9 decimals"),
        ("99999999999", "at most $10,000,000"),
    ],
)
def test_an_amount_that_is_none_stays_in_the_form_with_its_error(
    edit: Callable[..., Any], amount: str, words: str
) -> None:
    row = text_of(edit("owner", limit=amount, period="month", role="administrator", note="kept"), 422)
    assert words in row
    assert 'value="kept"' in row
    assert not Quota.objects.exists()
    assert not Membership.objects.filter(role=Role.ADMINISTRATOR, user__email="mia@example.org").exists()


def test_amounts_may_be_written_as_people_do(edit: Callable[..., Any]) -> None:
    text_of(edit("owner", limit=" $1,250.50 ", period="month", role="member"))
    assert Quota.objects.get().limit_nanos == nanos("1250.50")


def test_an_amount_beside_no_limit_is_asked_about_instead_of_forgotten(
    edit: Callable[..., Any], limit: Callable[..., None]
) -> None:
    assert "Take “No limit” away" in text_of(edit("owner", limit="5", unlimited="on", role="member"), 422)
    limit(Level.MEMBER, "30")
    assert "Take “No limit” away" in text_of(edit("owner", limit="31", unlimited="on", role="member"), 422)
    assert Quota.objects.get().limit_nanos == nanos("30")


def test_cancel_gives_the_hidden_row_back(cast: Cast, edit: Callable[..., Any]) -> None:
    row = text_of(edit("owner", query="close=1"))
    assert row.strip() == f'<tr id="editor-{cast.member.public_id}" hidden></tr>'


@pytest.mark.parametrize(
    ("back", "page"),
    [
        ("ranking", "usage:ranking"),
        ("quotas", "usage:quotas"),
        ("//evil.example", "teams:members"),
        ("", "teams:members"),
    ],
)
def test_without_javascript_it_is_a_page_that_leads_back(
    cast: Cast, edit: Callable[..., Any], back: str, page: str
) -> None:
    assert "<h1>Quota and role</h1>" in text_of(edit("owner", htmx=False, query=f"back={back}"))
    answer = edit("owner", htmx=False, query=f"back={back}", limit="5", period="month", role="member")
    assert (answer.status_code, answer["Location"]) == (302, reverse(page, args=[cast.team.slug]))


def test_the_form_has_only_what_the_reader_may_change(edit: Callable[..., Any]) -> None:
    of_owner = text_of(edit("owner", "owner"))
    assert 'name="limit"' in of_owner
    assert 'name="role"' not in of_owner
    of_administrator = text_of(edit("administrator", "administrator"))
    assert 'name="limit"' in of_administrator
    assert 'name="role"' not in of_administrator


def test_a_field_that_was_left_out_is_not_changed_by_sending_it(cast: Cast, edit: Callable[..., Any]) -> None:
    text_of(edit("administrator", "administrator", limit="5", period="month", role="member"))
    assert Membership.objects.get(team=cast.team, user=cast.administrator).role == Role.ADMINISTRATOR


@pytest.mark.parametrize(
    ("who", "whom", "status"),
    [
        ("administrator", "owner", 403),
        ("member", "member", 403),
        ("former", "member", 404),
        ("outsider", "member", 404),
        ("owner", "former", 404),
        ("owner", "outsider", 404),
    ],
)
def test_who_may_not_edit_gets_no_editor_and_changes_nothing(
    edit: Callable[..., Any], who: str, whom: str, status: int
) -> None:
    assert edit(who, whom).status_code == status
    assert edit(who, whom, limit="5", period="month", role="administrator").status_code == status
    assert not Quota.objects.exists()


def test_a_personal_space_has_no_member_to_edit(client_of: Callable[..., Client], cast: Cast) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    address = reverse("usage:member-editor", args=[space.slug, cast.member.public_id])
    assert client_of("member").get(address).status_code == 403


def test_the_menu_of_a_member_without_name_is_named_by_the_address(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    user = create_user(email="noname@example.org")
    Membership.objects.create(team=cast.team, user=user)
    page = text_of(client_of("owner").get(reverse("teams:members", args=[cast.team.slug])))
    assert "Actions for noname@example.org" in page
