"""The list of calls: whose they are, each filter alone, paging."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from logs.integrity.retention import delete_old_calls
from logs.models import Call, CallTag
from teams.actions.tokens import create_token, revoke_token
from teams.activity import SITE
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.conftest import NOW
from tests.logs.conftest import record as as_sent

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def logs(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`logs("owner", sort="cost")`: the page of the list as that person sees it."""

    def get(name: str, **asked: Any) -> Any:
        return client_of(name).get(reverse("logs:list", args=[cast.team.slug]), asked)

    return get


def found(response: Any) -> list[str]:
    """The request ids of a page."""
    assert response.status_code == 200
    ids = [row.call.id for row in response.context["page"].calls]
    names = dict(Call.objects.filter(id__in=ids).values_list("id", "request_id"))
    return [names[call_id] for call_id in ids]


def test_owner_and_administrator_see_all_calls_newest_first(record: Any, logs: Callable[..., Any]) -> None:
    record("member", "older", minutes=20)
    record("owner", "newer", minutes=10)
    for name in ("owner", "administrator"):
        assert found(logs(name)) == ["newer", "older"]


def test_a_member_sees_only_their_own_calls_and_no_others_are_counted(
    record: Any, logs: Callable[..., Any]
) -> None:
    record("member", "own")
    record("owner", "foreign", status=500)
    response = logs("member")
    assert found(response) == ["own"]
    total = response.context["page"].total
    assert (total.calls, total.failed) == (1, 0)
    assert "Olivia" not in response.content.decode()


def test_a_member_cannot_ask_for_others_calls(cast: Cast, record: Any, logs: Callable[..., Any]) -> None:
    record("member", "own")
    record("owner", "foreign")
    response = logs("member", member=cast.owner.public_id)
    assert "page" not in response.context
    assert "You may only see your own calls, not those of" in response.content.decode()
    assert found(logs("member", member=cast.member.public_id)) == ["own"]


@pytest.mark.parametrize("path", ["", "latency/", "choices/model/", "choices/token/", "export/", "tail/"])
def test_others_tokens_are_to_a_member_as_if_there_were_none(
    cast: Cast, record: Any, client_of: Callable[..., Client], path: str
) -> None:
    foreign = create_token(by=SITE, team=cast.team, user=cast.owner, name="secret plans")[0]
    record("owner", "foreign", token=foreign)

    def answer(token: str) -> tuple[int, str]:
        response = client_of("member").get(f"/t/{cast.team.slug}/logs/{path}", {"token": token})
        return response.status_code, response.content.decode()

    (status, page), (unknown, _page) = answer(foreign.public_id), answer("tok_nobody")
    assert status == unknown
    assert "secret plans" not in page
    assert path == "tail/" or f"You have no token “{foreign.public_id}” in this team." in page


def test_a_token_of_ones_own_is_a_filter_for_a_member_also_when_it_has_ended(
    record: Any, logs: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token = token_of("member")[0]
    record("member", "needle", token=token)
    record("member", "other")
    revoke_token(by=SITE, token=token, now=NOW)
    assert found(logs("member", token=token.public_id)) == ["needle"]
    assert found(logs("member", token="none")) == []


@pytest.mark.parametrize("name", ["former", "outsider"])
def test_who_is_not_in_the_team_finds_nothing_there(record: Any, logs: Callable[..., Any], name: str) -> None:
    assert logs(name).status_code == 404


def test_who_is_not_signed_in_is_asked_to(logs: Callable[..., Any]) -> None:
    assert logs("anonymous").status_code == 302


NEEDLE = {
    "model": ({"model": "rare"}, {"model": "rare"}),
    "outcome": ({"status": 429}, {"outcome": "throttled"}),
    "two outcomes": ({"status": 429}, {"outcome": ["throttled", "server_error"]}),
    "status": ({"status": 418}, {"status": "418"}),
    "latency from": ({"latency_ms": 60_000}, {"latency_from": "30000"}),
    "latency to": ({"latency_ms": 3}, {"latency_to": "10"}),
    "ttft from": ({"ttft_ms": 900}, {"ttft_from": "500"}),
    "ttft to": ({"ttft_ms": 900}, {"ttft_to": "900"}),
    "tokens from": ({"input_tokens": 90_000}, {"tokens_from": "90500"}),
    "tokens to": ({"input_tokens": 1, "output_tokens": 1}, {"tokens_to": "2"}),
    "cost from": ({"cost_nanos": 5_000_000_000}, {"cost_from": "4.99"}),
    "cost to": ({"cost_nanos": 1}, {"cost_to": "0.000000001"}),
    "streamed": ({"stream": True}, {"stream": "yes"}),
    "provider": ({"provider": "azure"}, {"provider": "azure"}),
    "endpoint": ({"endpoint": "embeddings"}, {"endpoint": "embeddings"}),
    "channel": ({"channel": "azure-east"}, {"channel": ["azure-east", "azure-west"]}),
    "error text": (
        {"status": 500, "error_message": "The engine is 100% OVERLOADED"},
        {"error": "100% overload"},
    ),
    "error type": ({"status": 400, "error_type": "teapot_error"}, {"error_type": "teapot_error"}),
    "ip": ({"ip": "10.1.2.3"}, {"ip": "10.1.2.3"}),
    "session": ({"session_id": "s-1"}, {"session": "s-1"}),
    "tag": ({"tags": ["nightly", "b"]}, {"tag": "nightly"}),
    "unpriced": ({"model": "house-model"}, {"unpriced": "yes"}),
}


@pytest.mark.parametrize(("fields", "asked"), NEEDLE.values(), ids=NEEDLE)
def test_each_filter_finds_what_it_says_and_counts_it(
    record: Any, logs: Callable[..., Any], fields: Any, asked: Any
) -> None:
    for n in range(3):
        record("owner", f"hay {n}", minutes=10 + n)
    record("member", "needle", **fields)
    response = logs("owner", **asked)
    assert found(response) == ["needle"]
    total = response.context["page"].total
    assert (total.calls, total.is_exact) == (1, True)
    assert total.failed == int(fields.get("status", 200) >= 400)
    assert total.cost_nanos == Call.objects.get(request_id="needle").cost_nanos


@pytest.mark.parametrize(("fields", "asked"), NEEDLE.values(), ids=NEEDLE)
def test_each_filter_finds_nothing_of_another_member_for_a_member(
    record: Any, logs: Callable[..., Any], fields: Any, asked: Any
) -> None:
    record("owner", "needle", **fields)
    response = logs("member", **asked)
    assert found(response) == []
    assert response.context["page"].total.calls == 0


@pytest.mark.parametrize(("field", "name"), [("session_id", "session"), ("tags", "tag")])
def test_blanks_are_part_of_a_session_and_of_a_tag(
    record: Any, logs: Callable[..., Any], field: str, name: str
) -> None:
    for n, text in enumerate((" x", "x")):
        record("owner", f"r{n}", **{field: [text] if field == "tags" else text})
    assert found(logs("owner", **{name: " x"})) == ["r0"]
    assert found(logs("owner", **{name: "x"})) == ["r1"]


@pytest.mark.parametrize(
    ("reported", "asked"),
    [
        ("2001:db8::1", "2001:DB8:0:0::0001"),
        ("2001:DB8:0:0::0001", "2001:db8::1"),
        ("::ffff:10.1.2.3", "::ffff:10.1.2.3"),
        ("10.1.2.3", " 10.1.2.3 "),
    ],
)
def test_an_address_is_found_however_it_is_spelt(
    post: Callable[..., Any], mia: str, logs: Callable[..., Any], reported: str, asked: str
) -> None:
    assert post(mia, as_sent("a", ip=reported)).json()["accepted"] == 1
    assert post(mia, as_sent("b", ip="10.9.9.9")).json()["accepted"] == 1
    assert found(logs("owner", ip=asked)) == ["a"]


def test_members_and_tokens_are_named_by_public_ids(
    cast: Cast, record: Any, logs: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member")
    record("member", "other token")
    record("member", "this token", token=token)
    record("owner", "other member")
    assert set(found(logs("owner", member=cast.member.public_id))) == {"other token", "this token"}
    assert found(logs("owner", token=token.public_id)) == ["this token"]
    assert (
        str(cast.member.pk)
        not in logs("owner", member=cast.member.public_id).context["list_query"].split("_")[0]
    )


def test_not_streamed_and_priced_are_filters_too(record: Any, logs: Callable[..., Any]) -> None:
    record("owner", "plain")
    record("owner", "stream", stream=True)
    record("owner", "no price", model="house-model")
    assert set(found(logs("owner", stream="no"))) == {"plain", "no price"}
    assert set(found(logs("owner", unpriced="no"))) == {"plain", "stream"}


def test_test_calls_are_only_in_test_mode(
    record: Any, logs: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    token, _secret = token_of("member", mode=Mode.TEST)
    record("member", "test", token=token)
    record("member", "live")
    assert found(logs("owner")) == ["live"]
    assert found(logs("owner", mode="test")) == ["test"]
    assert found(logs("owner", mode="test", latency_from="1")) == ["test"]


def test_an_unknown_latency_is_neither_short_nor_long(record: Any, logs: Callable[..., Any]) -> None:
    record("owner", "unknown", latency_ms=None)
    assert found(logs("owner", latency_to="100000")) == []
    assert found(logs("owner", latency_from="0")) == []


def test_sorting_by_latency_tokens_and_cost(record: Any, logs: Callable[..., Any]) -> None:
    record("owner", "a", minutes=1, latency_ms=5, input_tokens=3, cost_nanos=1)
    record("owner", "b", minutes=2, latency_ms=None, input_tokens=9, cost_nanos=2)
    record("owner", "c", minutes=3, latency_ms=7, input_tokens=5, cost_nanos=9)
    expected = {"newest": "abc", "oldest": "cba", "latency": "cab", "tokens": "bca", "cost": "cba"}
    for sort, order in expected.items():
        assert "".join(found(logs("owner", sort=sort))) == order


def test_a_time_to_the_minute_is_on_the_teams_clock(record: Any, logs: Callable[..., Any]) -> None:
    record("owner", "in", minutes=60)  # 11:00 UTC is 12:00 in Berlin
    record("owner", "out", minutes=58)
    asked: dict[str, Any] = {"from": "2026-11-20T12:00", "to": "2026-11-20T12:02"}
    assert found(logs("owner", **asked)) == ["in"]
    assert found(logs("owner", **asked, latency_from=1)) == ["in"]


def test_an_offset_names_the_hour_that_daylight_saving_repeats(record: Any, logs: Callable[..., Any]) -> None:
    # 02:30 in Berlin was there twice on 25 October 2026: 00:30 and 01:30 UTC.
    for n, hour in enumerate((0, 1)):
        minutes = (26 * 24 + 12 - hour) * 60 - 30
        record("owner", f"hour {n}", minutes=minutes)
    for n, offset in enumerate(("+02:00", "+01:00")):
        asked: dict[str, Any] = {"from": f"2026-10-25T02:00{offset}", "to": f"2026-10-25T02:59{offset}"}
        assert found(logs("owner", **asked)) == [f"hour {n}"]


def test_the_page_asks_few_questions_of_the_database(
    record: Any,
    logs: Callable[..., Any],
    client_of: Callable[..., Client],
    cast: Cast,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(30):
        record("owner", f"r{n}", minutes=n + 1)
    client = client_of("owner")
    url = reverse("logs:list", args=[cast.team.slug])
    asked: dict[str, Any] = {
        "latency_from": 1,
        "model": "gpt-4o-mini",
        "stream": "no",
        "outcome": "succeeded",
        "member": cast.owner.public_id,
    }
    with django_assert_max_num_queries(15):
        client.get(url, asked)


def test_a_swap_gets_the_part_only(cast: Cast, record: Any, client_of: Callable[..., Client]) -> None:
    record("owner", "a")
    url = reverse("logs:list", args=[cast.team.slug])
    part = client_of("owner").get(url, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="logs-calls"')
    assert "<html" not in part


def test_the_page_says_from_when_on_calls_are_kept(
    cast: Cast, record: Any, logs: Callable[..., Any], settings: Settings, now: datetime
) -> None:
    record("owner", "old", minutes=5 * 24 * 60, tags=["x"])
    record("owner", "new", minutes=5, tags=["x"])
    assert "only statistics remain" not in logs("owner", period="7d").content.decode()
    settings.CALL_RETENTION_DAYS = 3
    assert delete_old_calls(now=now) == 1
    text = logs("owner", period="7d").content.decode()
    assert "17 Nov 2026" in text
    assert "only statistics remain" in text
    assert "only statistics remain" not in logs("owner", period="24h").content.decode()
    assert CallTag.objects.get().id == Call.objects.get().id


def test_what_calls_cost_by_outcome_is_not_said_of_times_whose_calls_are_no_longer_kept(
    record: Any, logs: Callable[..., Any], settings: Settings, now: datetime
) -> None:
    record("owner", "old", minutes=5 * 24 * 60, status=400, cost_nanos=5_000_000_000)
    record("owner", "new", minutes=5, cost_nanos=1_000_000_000)

    def total(**asked: Any) -> tuple[Any, Any]:
        found = logs("owner", **asked).context["page"].total
        return found.calls, found.cost_nanos

    for gone in (False, True):
        if gone:
            settings.CALL_RETENTION_DAYS = 3
            assert delete_old_calls(now=now) == 1
        assert total(period="7d", outcome="client_error") == (1, None if gone else 5_000_000_000)
        assert total(period="7d", outcome="succeeded") == (1, None if gone else 1_000_000_000)
        assert total(period="7d") == (2, 6_000_000_000)
        assert total(period="24h", outcome="succeeded") == (1, 1_000_000_000)
        assert total(period="24h", outcome="client_error") == (0, 0)


def test_times_of_which_only_statistics_remain_say_so_instead_of_no_such_calls(
    record: Any, logs: Callable[..., Any], settings: Settings, now: datetime
) -> None:
    record("owner", "old", minutes=5 * 24 * 60)
    record("owner", "other", minutes=5 * 24 * 60, model="old-model")
    record("owner", "new", minutes=5)
    settings.CALL_RETENTION_DAYS = 3
    delete_old_calls(now=now)
    past: dict[str, Any] = {"from": "2026-11-14", "to": "2026-11-16"}
    for asked, is_said in [
        (past, True),
        ({**past, "latency_from": "1"}, True),
        ({"period": "7d", "model": "old-model"}, True),
        ({**past, "model": "gpt-4"}, False),
        ({**past, "to": "2026-11-20", "model": "gpt-4o-mini", "latency_from": "9999"}, True),
        ({"period": "24h", "latency_from": "9999"}, False),
        ({"request": "old"}, False),
    ]:
        text = logs("owner", **asked).content.decode()
        assert ("These calls are no longer stored" in text) is is_said
        assert ("No calls match" in text) is not is_said


def test_a_request_id_leads_straight_to_its_call_whenever_it_was(
    cast: Cast, record: Any, logs: Callable[..., Any], client_of: Callable[..., Client]
) -> None:
    call = record("member", "needle", minutes=60 * 24 * 100)
    record("owner", "hay")
    address = reverse("logs:detail", args=[cast.team.slug, call.id])
    for name in ("owner", "administrator", "member"):
        response = logs(name, request="needle", model="other", period="24h")
        assert (response.status_code, response["Location"]) == (302, address)
    url = reverse("logs:list", args=[cast.team.slug])
    part = client_of("owner").get(url, {"request": "needle"}, headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == address


def test_blanks_are_part_of_a_request_id(cast: Cast, record: Any, logs: Callable[..., Any]) -> None:
    for request_id in (" =1+1", "=1+1", "=1+1 "):
        call = record("owner", request_id)
        address = reverse("logs:detail", args=[cast.team.slug, call.id])
        assert logs("owner", request=request_id)["Location"] == address


def test_blanks_that_came_along_with_a_request_id_do_no_harm_and_alone_ask_for_nothing(
    record: Any, logs: Callable[..., Any]
) -> None:
    call = record("owner", "needle")
    assert str(call.id) in logs("owner", request=" needle ")["Location"]
    for name in ("request", "session", "tag"):
        assert found(logs("owner", **{name: "  "})) == ["needle"]


def test_a_request_id_is_exact_and_in_its_mode_and_leads_nobody_to_anothers_call(
    record: Any, logs: Callable[..., Any], token_of: Callable[..., tuple[Token, str]]
) -> None:
    record("owner", "needle")
    record("member", "test", token=token_of("member", mode=Mode.TEST)[0])
    for name, asked in [
        ("member", {"request": "needle"}),
        ("owner", {"request": "needl"}),
        ("owner", {"request": "NEEDLE"}),
        ("administrator", {"request": "needl", "mode": "test"}),
    ]:
        response = logs(name, **asked)
        assert found(response) == []
        assert "with this request ID" in response.content.decode()
    assert logs("outsider", request="needle").status_code == 404
    assert logs("owner", request="test", mode="test")["Location"].endswith("?mode=test")


@pytest.mark.parametrize(
    ("made_in", "words"),
    [("test", "It was made in test mode"), ("live", "It was made in live mode")],
)
def test_a_request_id_of_the_other_mode_is_said_to_be_one_with_the_way_to_its_call(
    cast: Cast,
    record: Any,
    logs: Callable[..., Any],
    token_of: Callable[..., tuple[Token, str]],
    made_in: str,
    words: str,
) -> None:
    record("owner", "hay")
    call = record("owner", "needle", token=token_of("owner", mode=Mode[made_in.upper()])[0])
    response = logs("owner", request="needle", mode="live" if made_in == "test" else "test")
    assert found(response) == []
    page, address = response.content.decode(), reverse("logs:detail", args=[cast.team.slug, call.id])
    assert words in page
    assert f'<a href="{address}{"?mode=test" if made_in == "test" else ""}">' in page
    assert "with this request ID" not in page
    assert "with this request ID" in logs("member", request="needle").content.decode()


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("02:30", "03:30", ("03:00", "03:30")),
        ("01:30", "02:30", ("01:30", "03:00")),
        ("02:00", "04:00", ("03:00", "04:00")),
    ],
)
def test_a_time_that_the_clock_skips_is_the_one_at_which_it_goes_on(
    logs: Callable[..., Any], start: str, end: str, hours: tuple[str, str]
) -> None:
    response = logs("owner", **{"from": f"2026-03-29T{start}", "to": f"2026-03-29T{end}"})
    assert response.context["form"].range_shown == tuple(f"2026-03-29T{hour}" for hour in hours)


def test_the_fields_of_a_range_show_the_period_on_the_teams_clock(logs: Callable[..., Any]) -> None:
    shown = 'name="{}" value="{}"'.format
    text = logs("owner", period="24h").content.decode()
    assert shown("from", "2026-11-19T14:00") in text
    assert shown("to", "2026-11-20T14:00") in text
    text = logs("owner", **{"from": "2026-10-25T02:30+02:00", "to": "2026-10-26"}).content.decode()
    assert shown("from", "2026-10-25T02:30") in text
    assert (
        shown("to", "yesterday") in logs("owner", **{"from": "2026-10-25", "to": "yesterday"}).content.decode()
    )
