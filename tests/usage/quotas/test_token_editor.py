"""Quotas on the tokens page: given when a token is made, seen in its row, edited there or on a page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from teams.actions.tokens import revoke_token
from teams.activity import SITE
from teams.models import Mode, Team, Token
from tests.conftest import Cast
from tests.usage.conftest import HTMX, nanos, text_of
from usage.quotas.actions.granting import Granted
from usage.quotas.models import Level, Period, Quota

NEW = {"name": "laptop", "expires": "30", "mode": "0", "models": ""}


@pytest.fixture
def tokens_of(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`tokens_of("owner")`: the tokens page as that person gets it."""
    return lambda who: text_of(client_of(who).get(reverse("teams:tokens", args=[cast.team.slug])))


@pytest.fixture
def make(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`make("member", **{"quota-limit": "5"})`: what the form of a new token answers."""
    address = reverse("usage:token-new", args=[cast.team.slug])
    return lambda who, **fields: client_of(who).post(address, NEW | fields)


@pytest.fixture
def edit(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`edit("owner", token, limit="5")`: what that person gets who edits its quota; GET without fields."""

    def ask(who: Any, token: Any, query: str = "", htmx: bool = True, **fields: Any) -> Any:
        address = reverse("usage:token-editor", args=[cast.team.slug, token.public_id])
        client, headers = client_of(who), HTMX if htmx else {}
        if fields:
            return client.post(f"{address}?{query}", fields, headers=headers)
        return client.get(f"{address}?{query}", headers=headers)

    return ask


def test_a_token_is_made_with_a_limit_and_its_row_shows_it(
    make: Callable[..., Any], tokens_of: Callable[..., Any]
) -> None:
    answer = make("member", **{"quota-limit": "12.50", "quota-period": "day"})
    assert "cb_live_" in text_of(answer)
    quota = Quota.objects.get()
    assert (quota.limit_nanos, quota.period, quota.token) == (nanos("12.50"), Period.DAY, Token.objects.get())
    assert "/ $12.50" in tokens_of("member")


def test_the_limit_is_optional(make: Callable[..., Any], tokens_of: Callable[..., Any]) -> None:
    text_of(make("member", **{"quota-limit": "", "quota-period": "month"}))
    assert Token.objects.count() == 1
    assert not Quota.objects.exists()
    assert "no limit" in tokens_of("member")


@pytest.mark.parametrize(
    ("amount", "words"),
    [("-1", "negative"), ("ten", "such as 12.50"), ("1e9", "such as 12.50"), ("0.0000000001", "9 decimals")],
)
def test_an_amount_that_is_none_is_named_and_nothing_is_made(
    make: Callable[..., Any], amount: str, words: str
) -> None:
    page = text_of(make("member", **{"quota-limit": amount, "quota-period": "week"}), 422)
    assert words in page
    assert f'value="{amount}"' in page
    assert '<option value="week" selected>' in page
    assert 'value="laptop"' in page
    assert not Token.objects.exists()


def test_what_is_wrong_of_both_parts_is_said_at_once(make: Callable[..., Any]) -> None:
    page = text_of(make("member", name="", **{"quota-limit": "-1"}), 422)
    assert "This field is required." in page
    assert "negative" in page


def test_each_token_shows_the_use_of_its_own_mode(
    cast: Cast,
    limit: Callable[..., None],
    reserve: Callable[..., Granted],
    token_of: Callable[..., tuple[Token, str]],
    tokens_of: Callable[..., Any],
) -> None:
    live, test = token_of("member")[0], token_of("member", Mode.TEST)[0]
    limit(Level.TOKEN, "3", token=live)
    limit(Level.TOKEN, "4", token=test)
    page = tokens_of("owner")
    assert "/ $3.00" in page
    assert "/ $4.00" in page
    assert page.count('id="quota-of-tok_') == 2
    assert page.count('id="editor-tok_') == 2


def test_two_more_queries_show_the_quotas_of_all_tokens(
    cast: Cast,
    client_of: Callable[..., Client],
    token_of: Callable[..., tuple[Token, str]],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client, address = client_of("owner"), reverse("teams:tokens", args=[cast.team.slug])
    for _n in range(20):
        token_of("member")
        token_of("member", Mode.TEST)
    client.get(address)
    with django_assert_max_num_queries(13):
        assert client.get(address).status_code == 200


def test_the_editor_opens_as_a_row_in_place_of_the_hidden_one(
    edit: Callable[..., Any], limit: Callable[..., None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    limit(Level.TOKEN, "30", Period.WEEK, token=token)
    row = text_of(edit("administrator", token))
    assert row.strip().startswith(f'<tr id="editor-{token.public_id}">')
    assert 'value="30.00"' in row
    assert '<option value="week" selected>' in row
    assert "$0.00 used so far." in row
    assert "no calls are possible until the reset" in row
    assert "Once it is set" not in row
    assert "<html" not in row


def test_saving_puts_the_editor_away_and_renews_the_cell(
    edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    answer = text_of(edit("owner", token, limit="12.50", period="week", note="too fast"))
    assert f'<tr id="editor-{token.public_id}" hidden>' in answer
    assert f'<div id="quota-of-{token.public_id}" hx-swap-oob="true">' in answer
    assert "/ $12.50" in answer
    assert Quota.objects.get().limit_nanos == nanos("12.50")


def test_no_limit_removes_it(
    edit: Callable[..., Any], limit: Callable[..., None], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    limit(Level.TOKEN, "30", token=token)
    text_of(edit("owner", token, unlimited="on", period="month"))
    assert not Quota.objects.exists()


def test_a_wrong_amount_stays_in_the_form_with_its_error(
    edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    row = text_of(edit("owner", token_of("member")[0], limit="-1", period="month", note="kept"), 422)
    assert "negative" in row
    assert 'value="kept"' in row
    assert not Quota.objects.exists()


def test_cancel_gives_the_hidden_row_back(
    edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    row = text_of(edit("owner", token, query="close=1"))
    assert row.strip() == f'<tr id="editor-{token.public_id}" hidden></tr>'


def test_without_javascript_it_is_a_page_that_leads_back(
    cast: Cast, edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    assert "<h1>Quota of a token</h1>" in text_of(edit("owner", token, htmx=False))
    answer = edit("owner", token, htmx=False, limit="5", period="month")
    assert (answer.status_code, answer["Location"]) == (302, reverse("teams:tokens", args=[cast.team.slug]))


def test_a_member_limits_their_own_token_once_and_is_told_so(
    edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], tokens_of: Callable[..., Any]
) -> None:
    token, _secret = token_of("member")
    assert "Set a quota" in tokens_of("member")
    assert "Once it is set" in text_of(edit("member", token))
    text_of(edit("member", token, limit="5", period="month"))
    assert f"{token.public_id}/quota/" not in tokens_of("member")
    assert edit("member", token).status_code == 403
    assert edit("member", token, limit="50", period="month").status_code == 403
    assert Quota.objects.get().limit_nanos == nanos("5")


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [
        ("owner", "administrator", 200),
        ("administrator", "owner", 403),
        ("administrator", "administrator", 200),
        ("member", "owner", 404),
        ("former", "member", 404),
        ("outsider", "member", 404),
    ],
)
def test_who_may_edit_the_quota_of_whose_token(
    edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], who: str, whose: str, status: int
) -> None:
    token, _secret = token_of(whose)
    assert edit(who, token).status_code == status
    assert edit(who, token, limit="5", period="month").status_code == status
    assert Quota.objects.exists() == (status == 200)


def test_an_administrator_sees_the_owners_quota_without_a_way_to_change_it(
    limit: Callable[..., None], token_of: Callable[..., tuple[Token, str]], tokens_of: Callable[..., Any]
) -> None:
    token, _secret = token_of("owner")
    limit(Level.TOKEN, "30", token=token)
    assert "/ $30.00" in tokens_of("administrator")
    assert f"{token.public_id}/quota/" not in tokens_of("administrator")
    assert f"{token.public_id}/quota/" in tokens_of("owner")


def test_a_revoked_token_gets_no_limit_and_the_form_says_why(
    edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    revoke_token(by=SITE, token=token, now=timezone.now())
    assert "was revoked. Create a new token" in text_of(edit("owner", token, limit="5", period="month"), 422)


def test_a_token_of_another_team_is_not_there(
    cast: Cast, edit: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("outsider", team=cast.other_team)
    assert edit("owner", token).status_code == 404


def test_in_a_personal_space_one_limits_ones_own_tokens_as_often_as_one_likes(
    cast: Cast, client_of: Callable[..., Client], token_of: Callable[..., tuple[Token, str]]
) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    token, _secret = token_of("member", team=space)
    address = reverse("usage:token-editor", args=[space.slug, token.public_id])
    for amount in ("5", "6"):
        answer = client_of("member").post(address, {"limit": amount, "period": "month"})
        assert answer.status_code == 302
    assert Quota.objects.get().limit_nanos == nanos("6")
