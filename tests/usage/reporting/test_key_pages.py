"""The pages of tokens and gateway keys: what was accepted, duplicate and rejected, for whom it concerns."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from teams.actions.gateway_keys import create_gateway_key
from teams.actions.tokens import revoke_token
from teams.actions.users import create_user
from teams.activity import SITE
from teams.models import GatewayKey, Team, Token
from teams.support_group import support_group
from tests.conftest import Cast
from tests.usage.conftest import text_of
from usage.reporting.counting import Reason, Report, count_report

REASON = Reason("out_of_scope", "Nobody with this address is in the team.", "member", "req-7", 3)
REPORT = Report(accepted=1_234, duplicates=5, rejected=3, reasons=[REASON])


def words(text: str) -> str:
    """The text of a page without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def mias(token_of: Callable[..., tuple[Token, str]]) -> Token:
    token = token_of("member")[0]
    count_report(token, REPORT, timezone.now())
    return token


@pytest.fixture
def proxy(cast: Cast) -> GatewayKey:
    key = create_gateway_key(by=SITE, team=cast.team, name="proxy")[0]
    count_report(key, REPORT, timezone.now())
    return key


@pytest.fixture
def page(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`page("owner", token)`: the answer of the page of a key of the team."""

    def get(name: str, key: Any, team: Team | None = None) -> Any:
        kind = "token" if isinstance(key, Token) else "gateway-key"
        return client_of(name).get(reverse(f"usage:{kind}", args=[(team or cast.team).slug, key.public_id]))

    return get


@pytest.mark.parametrize("name", ["owner", "administrator", "member"])
def test_the_holder_and_those_above_see_counts_and_reasons(
    page: Callable[..., Any], mias: Token, name: str
) -> None:
    shown = words(text_of(page(name, mias)))
    assert "Last 24 hours 1,234 5 3 0" in shown
    assert "Last 7 days 1,234 5 3 0" in shown
    assert "Nobody with this address is in the team. out_of_scope · member · req-7 3" in shown


@pytest.mark.parametrize(("name", "status"), [("owner", 200), ("administrator", 200), ("member", 403)])
def test_a_teams_gateway_key_is_for_owner_and_administrators(
    page: Callable[..., Any], proxy: GatewayKey, name: str, status: int
) -> None:
    response = page(name, proxy)
    assert response.status_code == status
    assert ("req-7" in response.content.decode()) is (status == 200)


def test_others_tokens_are_to_a_member_as_if_there_were_none(
    page: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    assert page("member", token_of("administrator")[0]).status_code == 404


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_outsiders_see_nothing_also_under_a_team_of_their_own(
    page: Callable[..., Any], cast: Cast, mias: Token, proxy: GatewayKey, name: str
) -> None:
    for key in (mias, proxy):
        assert page(name, key).status_code == 404
        assert page("outsider", key, cast.other_team).status_code == 404


def test_in_a_personal_space_ones_own_keys_have_a_page(
    page: Callable[..., Any], cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    space = Team.objects.get(owner=cast.member, is_personal=True)
    token = token_of("member", team=space)[0]
    key = create_gateway_key(by=SITE, team=space, name="own proxy")[0]
    for one in (token, key):
        count_report(one, REPORT, timezone.now())
        assert "req-7" in text_of(page("member", one, space))
        assert page("owner", one, space).status_code == 404


def test_the_list_shows_the_last_day_of_each_and_leads_to_its_page(
    client_of: Callable[..., Client],
    cast: Cast,
    mias: Token,
    proxy: GatewayKey,
    page: Callable[..., Any],
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    idle = token_of("member")[0]
    refused = token_of("member")[0]
    count_report(refused, Report(is_refused=True, reasons=[Reason("invalid_json", "No JSON.")]), timezone.now())
    shown = text_of(client_of("owner").get(reverse("teams:tokens", args=[cast.team.slug])))
    assert words(shown).count("1,234 accepted · 3 rejected") == 2
    assert "0 accepted · 1 request refused" in words(shown)
    for key, kind in ((mias, "token"), (idle, "token"), (refused, "token"), (proxy, "gateway-key")):
        assert f'href="{reverse(f"usage:{kind}", args=[cast.team.slug, key.public_id])}"' in shown
    assert REASON.message in shown


def test_a_key_of_which_nothing_is_known_says_so(
    page: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    shown = words(text_of(page("member", token_of("member")[0])))
    assert "Last 24 hours 0 0 0 0" in shown
    assert "Nothing was rejected" in shown


def test_a_request_refused_as_a_whole_is_told_from_records(page: Callable[..., Any], mias: Token) -> None:
    count_report(mias, Report(is_refused=True, reasons=[Reason("too_large", "Send less.")]), timezone.now())
    revoke_token(by=SITE, token=mias, now=timezone.now())
    shown = words(text_of(page("member", mias)))
    assert "Last 24 hours 1,234 5 3 1" in shown
    assert "Send less. too_large all" in shown


def test_what_senders_name_is_shown_as_text(page: Callable[..., Any], mias: Token) -> None:
    odd = Reason("invalid_request", "model must not be empty.", "model", "<script>alert(1)</script>", 1)
    count_report(mias, Report(rejected=1, reasons=[odd]), timezone.now())
    assert "<script>alert(1)" not in text_of(page("member", mias))


@pytest.mark.parametrize("who", ["superuser", "support"])
def test_staff_see_what_a_key_of_the_site_reported_and_not_a_teams(
    db: None, proxy: GatewayKey, who: str
) -> None:
    staff = create_user(email="root@example.org", is_staff=True, is_superuser=who == "superuser", verified=True)
    if who == "support":
        staff.groups.add(support_group())
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    key = create_gateway_key(by=SITE, team=None, name="site")[0]
    count_report(key, REPORT, timezone.now())
    shown = words(text_of(client.get(f"/admin/teams/gatewaykey/{key.pk}/change/")))
    assert "Last 7 days 1,234 5 3 0" in shown
    assert "req-7" in shown
    assert "req-7" not in text_of(client.get(f"/admin/teams/gatewaykey/{proxy.pk}/change/"))
