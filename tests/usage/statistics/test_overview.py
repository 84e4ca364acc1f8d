"""The overview: who sees which numbers, in which period, whole or in part."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from teams.models import Mode, Token
from tests.conftest import Cast
from tests.usage.conftest import HTMX, text_of
from usage.rollups.query import PRESETS


def total_calls(response: Any) -> int:
    return response.context["page"].overview.total.calls


# --- Who -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["owner", "administrator"])
def test_owner_and_administrator_see_everybody(see: Callable[..., Any], calls: None, name: str) -> None:
    response = see(name)
    page = text_of(response)
    assert total_calls(response) == 6
    for somebody in ("Mia", "Adam", "Fay", "Former member"):
        assert somebody in page


def test_a_member_sees_only_their_own_part(see: Callable[..., Any], calls: None, cast: Cast) -> None:
    response = see("member")
    page = text_of(response)
    assert total_calls(response) == 3
    assert "Your usage" in page
    for hidden in ("Adam", "Fay", "adam@example.org", "gpt-4o<", "house-model", cast.administrator.public_id):
        assert hidden not in page


@pytest.mark.parametrize("who", ["administrator", "owner", "former", "outsider"])
def test_a_member_who_asks_for_somebody_else_is_told_that_they_see_their_own_calls_only(
    see: Callable[..., Any], calls: None, cast: Cast, who: str
) -> None:
    asked = f"member={cast.user(who).public_id}"
    for also in ("", f"&member={cast.member.public_id}"):
        response = see("member", query=asked + also)
        assert "page" not in response.context
        page = response.content.decode()
        assert f"You may only see your own calls, not those of “{cast.user(who).public_id}”." in page
        assert cast.user(who).name not in page
    for kind in ("csv", "json"):
        file = see("member", "overview-export", f"{asked}&format={kind}")
        assert "You may only see your own calls" in text_of(file, 400)


@pytest.mark.parametrize("page", ["overview", "overview-export", "refusals"])
def test_others_tokens_are_to_a_member_as_if_there_were_none(
    see: Callable[..., Any], calls: None, cast: Cast, page: str
) -> None:
    others, own = (
        Token.objects.get(user=cast.user(who), mode=Mode.LIVE) for who in ("administrator", "member")
    )
    for asked in (others.public_id, "tok_nobody"):
        response = see("member", page, f"token={asked}&format=json")
        assert f"You have no token “{asked}” in this team." in response.content.decode()
    assert "You have no token" not in see("member", page, f"token={own.public_id}&format=json").content.decode()


def test_a_member_may_name_themselves(see: Callable[..., Any], calls: None, cast: Cast) -> None:
    for name in (cast.member.public_id, cast.member.email, "Mia@Example.org"):
        assert total_calls(see("member", query=f"member={name}")) == 3
        assert '"calls": 3,' in text_of(see("member", "overview-export", f"member={name}&format=json"))


def test_a_member_is_named_by_an_address_however_it_is_written(see: Callable[..., Any], calls: None) -> None:
    assert total_calls(see("owner", query="member=Mia@Example.ORG")) == 3
    assert total_calls(see("owner", query="member=FAY@example.org&member=fay@example.org")) == 1


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_the_team_does_not_exist_for_outsiders(see: Callable[..., Any], calls: None, name: str) -> None:
    assert "Harbour" not in text_of(see(name), 404)


def test_who_is_not_signed_in_is_led_to_the_sign_in_page(see: Callable[..., Any], calls: None) -> None:
    response = see("anonymous")
    assert (response.status_code, response.url.partition("?")[0]) == (302, "/accounts/login/")
    swap = see("anonymous", **HTMX)
    assert swap.headers["HX-Redirect"].startswith("/accounts/login/")


# --- What ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", PRESETS)
@pytest.mark.parametrize("compare", ["", "none"])
def test_every_preset_is_a_page(see: Callable[..., Any], calls: None, period: Any, compare: str) -> None:
    page = text_of(see("owner", query=f"period={period}&compare={compare}"))
    assert re.search(rf'href="[^"]*period={period}[^"]*"[^>]*aria-current="true"', page)


def test_a_range_of_ones_own_and_its_step(see: Callable[..., Any], calls: None) -> None:
    today = timezone.now().date()
    years = f"from={today.year - 1}-01-01T00:00&to={today.year + 1}-01-01T00:00"
    response = see("owner", query=f"{years}&granularity=month")
    assert total_calls(response) == 6
    assert len(response.context["page"].overview.points) == 24


def test_filters_narrow_the_page(see: Callable[..., Any], calls: None, cast: Cast) -> None:
    assert total_calls(see("owner", query=f"member={cast.member.public_id}")) == 3
    assert total_calls(see("owner", query=f"member={cast.former.public_id}&member=adam@example.org")) == 3
    assert total_calls(see("owner", query="model=gpt-4o&model=house-model")) == 3
    assert total_calls(see("owner", query=f"model=gpt-4o&member={cast.member.public_id}")) == 0


def test_test_mode_is_apart_and_says_so(see: Callable[..., Any], calls: None) -> None:
    response = see("owner", query="mode=test")
    assert total_calls(response) == 7
    assert total_calls(see("owner", query="mode=live")) == 6
    assert "Adam" not in re.sub(r"(?s)<form.*?</form>", "", text_of(response))


def test_names_of_models_are_never_markup(
    see: Callable[..., Any], cast: Cast, token_of: Callable[..., tuple[Token, str]], client: Client
) -> None:
    secret = token_of("member")[1]
    evil = "</script><script>alert(1)</script>"
    record = {"request_id": "x", "started_at": timezone.now().isoformat(), "model": evil}
    headers = {"Authorization": f"Bearer {secret}"}
    client.post("/api/v1/calls", record, content_type="application/json", headers=headers)
    page = text_of(see("owner"))
    assert evil not in page
    assert "&lt;/script&gt;" in page


# --- An empty team -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["owner", "member"])
def test_a_team_without_calls_shows_the_first_steps(see: Callable[..., Any], cast: Cast, name: str) -> None:
    page = text_of(see(name))
    assert f"curl {settings.BASE_URL}/api/v1/calls" in page
    assert f"--team {cast.team.slug}" in page
    assert "data-chart" not in page


def test_a_quiet_week_of_a_busy_team_is_not_a_first_step(see: Callable[..., Any], calls: None) -> None:
    page = text_of(see("owner", query="from=2020-01-01T00:00&to=2020-01-08T00:00"))
    assert "curl" not in page
    assert "data-chart" in page
    assert "curl" in text_of(see("administrator", query="mode=test&period=24h")) or "data-chart" in page


# --- Nonsense ------------------------------------------------------------------------------------

NONSENSE = [
    "period=yesterday",
    "period=7d%00",
    "mode=both",
    "compare=everything",
    "granularity=minute",
    "granularity=hour&from=2020-01-01T00:00&to=2026-01-01T00:00",
    "from=2026-02-01T00:00&to=2026-01-01T00:00",
    "from=2026-01-01T00:00&to=2026-01-01T00:00",
    "from=2026-01-01T00:00",
    "to=2026-01-01T00:00",
    "from=yesterday&to=today",
    "from=0001-01-01T00:00&to=0002-01-01T00:00",
    "from=0001-01-01T00:00&to=9999-12-31T23:59",
    "from=0003-01-01T00:00&to=0009-01-01T00:00",
    "from=9990-01-01T00:00&to=9999-12-31T23:59",
    "from=9999-12-31T00:00&to=9999-12-31T23:59&granularity=hour",
    "from=9999-12-31T00:00&to=9999-12-31T23:59&granularity=month",
    "from=2026-13-45T99:99&to=2026-01-01T00:00",
    "from=1e9&to=%00",
    "member=nobody",
    "member=usr_nobody&member=%00",
    "member=otto@example.org",
    "token=tok_nobody",
    "token=1",
    "&".join(f"model=m{n}" for n in range(300)),
    "model=" + "x" * 4000,
    "days=-1&figures=1&part=x",
]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "part"])
@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_is_told_in_the_page(
    see: Callable[..., Any], calls: None, query: str, headers: dict[str, Any] | dict[str, str]
) -> None:
    response = see("owner", query=query, **headers)
    assert response.status_code in {200, 422}
    page = response.content.decode()
    assert 'id="usage-overview"' in page
    if "page" not in response.context:
        assert 'role="alert"' in page


@pytest.mark.parametrize("query", ["member=nobody", "from=2026-02-01T00:00&to=2026-01-01T00:00", "period=x"])
def test_an_error_says_what_is_wrong(see: Callable[..., Any], calls: None, query: str) -> None:
    assert "page" not in see("owner", query=query).context


# --- Part or whole -------------------------------------------------------------------------------


def test_a_swap_gets_the_part_from_the_same_address(see: Callable[..., Any], calls: None) -> None:
    part, whole = see("owner", query="period=30d", **HTMX), see("owner", query="period=30d")
    assert text_of(part).lstrip().startswith('<div id="usage-overview"')
    assert "<html" in text_of(whole)
    for response in (part, whole):
        assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("wish", ["HX-Boosted", "HX-History-Restore-Request"])
def test_a_boosted_link_and_a_way_back_get_the_whole_page(
    see: Callable[..., Any], calls: None, wish: str
) -> None:
    assert "<html" in text_of(see("owner", **HTMX, **{wish: "true"}))


def test_the_charts_figures_are_a_table_on_demand(see: Callable[..., Any], calls: None) -> None:
    response = see("owner", query="figures=table&period=24h")
    assert text_of(response).count("<tr>") > len(response.context["page"].overview.points)


def test_the_policy_is_strict(see: Callable[..., Any], calls: None) -> None:
    policy = see("owner")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = text_of(see("owner"))
    assert not re.search(r"<[^>]+ (style|on[a-z]+)=", page)
