"""One call: everything about it, in the drawer or as a page, for those who may see it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from logs.integrity.retention import delete_old_calls
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level, Period, Quota

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def detail(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`detail("owner", call, sort="cost")`: the call's page as that person sees it."""

    def get(name: str, call: Any, headers: Any = None, **asked: Any) -> Any:
        url = reverse("logs:detail", args=[cast.team.slug, call.id])
        return client_of(name).get(url, asked, headers=headers)

    return get


def test_a_member_sees_their_own_call_but_not_anothers(record: Any, detail: Callable[..., Any]) -> None:
    own, foreign = record("member", "own"), record("owner", "foreign")
    assert detail("member", own).status_code == 200
    assert detail("member", foreign).status_code == 404
    assert detail("administrator", own).status_code == 200


def test_the_address_of_a_deleted_call_tells_of_the_retention_and_that_of_anothers_the_same(
    record: Any, detail: Callable[..., Any], settings: Settings, now: datetime
) -> None:
    deleted = record("member", "old", minutes=5 * 24 * 60)
    settings.CALL_RETENTION_DAYS = 3
    delete_old_calls(now=now)
    answers = [detail("member", call) for call in (deleted, record("owner", "foreign"))]
    assert [answer.status_code for answer in answers] == [404, 404]
    told, other = (answer.content.decode().partition("<main")[2] for answer in answers)
    assert "Call not found" in told
    assert "single calls are stored for 3 days" in told
    assert told == other


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_outsiders_and_former_members_get_404(record: Any, detail: Callable[..., Any], name: str) -> None:
    assert detail(name, record("member", "a")).status_code == 404


def test_a_call_of_another_team_is_not_found_under_this_one(
    cast: Cast, record: Any, detail: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("outsider", team=cast.other_team)
    assert detail("owner", record("outsider", "a", token=token)).status_code == 404


def test_the_price_is_shown_as_a_formula(record: Any, detail: Callable[..., Any]) -> None:
    call = record("owner", "a", cached_tokens=200)
    price = detail("owner", call).context["detail"].price
    assert price.formula == "(800 × $0.15/M) + (200 × $0.075/M) + (500 × $0.6/M)"
    assert "= $0.000435" in detail("owner", call).content.decode()


@pytest.mark.parametrize(
    ("fields", "formula"),
    [
        (
            {"model": "prod-chat", "provider": "azure", "response_model": "gpt-4o-mini-2024-07-18"},
            "(1,000 × $0.15/M) + (500 × $0.6/M)",
        ),
        (
            {"model": "gpt-5", "service_tier": "flex", "output_tokens": 0},
            "(1,000 × $0.625/M)",
        ),
        (
            {"model": "claude-sonnet-4-5", "cache_write_tokens": 400, "cache_write_1h_tokens": 300},
            "(600 × $3/M) + (100 × $3.75/M) + (300 × $6/M) + (500 × $15/M)",
        ),
        (
            {"model": "gpt-audio", "input_audio_tokens": 200, "output_audio_tokens": 500},
            "(800 × $2.5/M) + (200 × $32/M) + (500 × $64/M)",
        ),
    ],
)
def test_names_tiers_and_kinds_of_tokens_are_in_the_formula(
    record: Any, detail: Callable[..., Any], fields: dict[str, Any], formula: str
) -> None:
    response = detail("member", record("member", "a", **fields))
    assert response.context["detail"].price.formula == formula


def test_what_the_call_itself_costs_is_part_of_the_formula(record: Any, detail: Callable[..., Any]) -> None:
    response = detail("owner", record("owner", "a", model="sonar", provider="perplexity"))
    assert response.context["detail"].price.formula == "(1,000 × $1/M) + (500 × $1/M) + $0.012"
    assert "Fee per call" in response.content.decode()
    assert "= $0.0135" in response.content.decode()


def test_a_reported_cost_and_a_missing_price_say_so_instead_of_a_formula(
    record: Any, detail: Callable[..., Any]
) -> None:
    for call, words in [
        (record("owner", "a", cost_nanos=5), "reported with the call"),
        (record("owner", "b", model="house-model"), "unpriced"),
        (record("owner", "c", status=500), "failed, not charged"),
    ]:
        response = detail("owner", call)
        assert response.context["detail"].price.formula == ""
        assert words in response.content.decode()


def test_the_levels_that_it_counted_against_are_named_with_their_limits(
    cast: Cast, record: Any, detail: Callable[..., Any]
) -> None:
    call = record("member", "a")
    space = cast.owner.owned_teams.get(is_personal=True)
    Quota.objects.create(team=cast.team, token_id=call.token_id, limit_nanos=1, period=Period.DAY)
    for person, limit in [(cast.member, 2), (cast.administrator, 20)]:
        membership = cast.team.memberships.get(user=person)
        Quota.objects.create(team=cast.team, membership=membership, limit_nanos=limit, period=Period.DAY)
    Quota.objects.create(team=cast.team, limit_nanos=3, period=Period.WEEK)
    Quota.objects.create(team=space, limit_nanos=4, period=Period.MONTH)
    Quota.objects.create(team=cast.other_team, limit_nanos=30, period=Period.MONTH)
    levels = detail("owner", call).context["detail"].levels
    assert [(level.label, level.quota.limit_nanos) for level in levels] == [
        ("Token laptop", 1),
        (Level.MEMBER.label, 2),
        (Level.TEAM.label, 3),
        ("Owner's balance", 4),
    ]


def test_a_large_team_with_many_quotas_costs_no_more(
    cast: Cast, record: Any, client_of: Callable[..., Client], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client, call = client_of("owner"), record("member", "a")
    url = reverse("logs:detail", args=[cast.team.slug, call.id])
    client.get(url)
    for membership in cast.team.memberships.all():
        Quota.objects.create(team=cast.team, membership=membership, limit_nanos=1, period=Period.DAY)
    with django_assert_num_queries(9):
        assert client.get(url).status_code == 200


def test_levels_without_a_limit_are_named_as_well(record: Any, detail: Callable[..., Any]) -> None:
    levels = detail("owner", record("member", "a")).context["detail"].levels
    assert [level.quota for level in levels] == [None] * 4


def test_before_and_next_follow_the_filters_and_the_order_of_the_list(
    record: Any, detail: Callable[..., Any]
) -> None:
    calls = [record("owner", f"r{n}", minutes=n + 1, latency_ms=n * 10, stream=n != 2) for n in range(5)]
    response = detail("owner", calls[1])
    assert (response.context["newer"], response.context["older"]) == (calls[0].id, calls[2].id)
    response = detail("owner", calls[1], stream="yes")
    assert (response.context["newer"], response.context["older"]) == (calls[0].id, calls[3].id)
    response = detail("owner", calls[4], sort="latency")
    assert (response.context["newer"], response.context["older"]) == (None, calls[3].id)


def test_the_link_to_share_leads_to_the_calls_own_mode_whatever_the_list_was(
    record: Any,
    detail: Callable[..., Any],
    token_of: Callable[..., tuple[Token, str]],
    client_of: Callable[..., Client],
) -> None:
    token, _secret = token_of("owner", mode=Mode.TEST)
    in_test = [record("owner", f"t{n}", minutes=n, token=token) for n in (1, 3)]
    live = [record("owner", f"l{n}", minutes=n) for n in (2, 4)]
    for calls in (in_test, live):
        for asked in ({}, {"mode": "test", "sort": "cost"}):
            link = detail("owner", calls[0], **asked).context["share_url"]
            assert "sort" not in link
            shown = client_of("owner").get(link).context
            assert (shown["detail"].call.id, shown["older"]) == (calls[0].id, calls[1].id)


def test_a_members_neighbours_are_their_own(record: Any, detail: Callable[..., Any]) -> None:
    record("owner", "between", minutes=2)
    first, last = record("member", "first", minutes=1), record("member", "last", minutes=3)
    assert detail("member", first).context["older"] == last.id


def test_everything_reported_is_shown_and_escaped(record: Any, detail: Callable[..., Any]) -> None:
    text = detail(
        "owner",
        record(
            "owner",
            "<script>alert(1)</script>",
            status=500,
            error_type="<b>type</b>",
            error_message="<img src=x>",
            tags=["<i>tag</i>"],
            metadata={"job": "<u>nightly</u>"},
            session_id="s'\"1",
            ip="10.0.0.1",
            user_agent="curl/8 <x>",
            ttft_ms=100,
        ),
    ).content.decode()
    for raw in ("<script>alert", "<b>type", "<img src=x", "<i>tag", "<u>nightly", "curl/8 <x>"):
        assert raw not in text
    for shown in ("&lt;b&gt;type", "&lt;img", "&lt;i&gt;tag", "nightly", "10.0.0.1", "100\N{NO-BREAK SPACE}ms"):
        assert shown in text


def test_calls_like_this_lead_to_a_list_that_has_it(
    cast: Cast, record: Any, detail: Callable[..., Any], client_of: Callable[..., Client]
) -> None:
    call = record("member", "a", status=500, error_type="server_error", session_id="s", ip="10.0.0.9")
    for name in ("owner", "member"):
        alike = detail(name, call).context["detail"].alike
        assert len(alike) == 5
        for one in alike:
            page = client_of(name).get(reverse("logs:list", args=[cast.team.slug]) + one.query).context["page"]
            assert [row.call.id for row in page.calls] == [call.id], one.label


def test_a_swap_gets_the_drawer_only(record: Any, detail: Callable[..., Any]) -> None:
    part = detail("owner", record("owner", "a"), headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<aside class="drawer"')
    assert "<html" not in part


def test_a_wrong_filter_beside_a_call_leaves_the_call_readable(record: Any, detail: Callable[..., Any]) -> None:
    assert detail("owner", record("owner", "a"), latency_from="x", cursor="y").status_code == 200


def test_corrected_values_are_listed(record: Any, detail: Callable[..., Any]) -> None:
    call = record("member", "a", corrections=["response_cost must not be negative; left out."])
    page = detail("member", call).content.decode()
    assert "Corrected values" in page
    assert "response_cost must not be negative; left out." in page
    assert "Corrected values" not in detail("member", record("member", "b")).content.decode()


def test_a_client_that_went_away_is_a_state_of_its_own(record: Any, detail: Callable[..., Any]) -> None:
    page = detail("member", record("member", "a", status=499, error_type="ClientDisconnected")).content.decode()
    assert "Client disconnected" in page
    assert "Client disconnected" not in detail("member", record("member", "b", status=400)).content.decode()


def test_the_model_that_answered_is_named_where_it_is_another(record: Any, detail: Callable[..., Any]) -> None:
    call = record("member", "a", model="prod-chat", response_model="gpt-4o-mini", service_tier="flex")
    page = detail("member", call).content.decode()
    assert "Answered by" in page
    assert "Service tier" in page
    assert "Answered by" not in detail("member", record("member", "b")).content.decode()


def test_a_call_that_several_layers_reported_names_them(record: Any, detail: Callable[..., Any]) -> None:
    assert "Reported by" not in detail("owner", record("owner", "a")).content.decode()
    call = record("owner", "b", layers=["langchain: ChatOpenAI.chat", "<LiteLLM>"])
    page = detail("owner", call).content.decode()
    assert "langchain: ChatOpenAI.chat" in page
    assert "&lt;LiteLLM&gt;" in page
