"""Paging by key: every call once, in order, both ways, whatever arrives meanwhile and however it is searched."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.browsing.pages import calls_page, neighbours
from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from logs.search import paging, plans, totals
from logs.search.filters import CallFilterSet
from logs.search.paging import find_first_page, find_page
from logs.search.plans import make_plan
from logs.search.query import Position, Sort, matching
from teams.access import Access
from teams.models.keys import Token
from tests.conftest import Cast

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MODELS = ["one", "two", "three"]


def reported(rng: Any, n: Any, latest: datetime = NOW) -> ReportedCall:
    status = rng.choice([200, 200, 200, 400, 429, 503])
    return ReportedCall(
        request_id=f"r{n}",
        # Many start in the same minute, so that only the id tells them apart.
        started_at=latest - timedelta(minutes=rng.randrange(200)),
        model=rng.choice(MODELS),
        provider=rng.choice(["", "azure", "openai"]),
        stream=rng.random() < 0.5,
        status=status,
        error_message="overloaded" if status == 503 else "",
        latency_ms=rng.choice([None, 1, 5, 5, 9, 100]),
        ttft_ms=rng.choice([None, 1, 2]),
        input_tokens=rng.choice([0, 5, 10]),
        cost_nanos=rng.choice([0, 7, 9, None]),  # nobody knows a price of these models
        tags=rng.choice([[], ["x"], ["x", "y"]]),
        session_id=rng.choice(["", "s"]),
    )


@pytest.fixture
def many(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> list[Caller]:
    """120 calls of two members."""
    rng = random.Random(3)
    callers = [Caller(token=token_of(name)[0]) for name in ("owner", "member")]
    for index, by in enumerate(callers):
        record_calls([reported(rng, f"{index}-{n}") for n in range(60)], by=by, now=NOW)
    return callers


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.lists(st.sampled_from([*MODELS, "none"]), min_size=1, max_size=3, unique=True),
        "outcome": st.lists(
            st.sampled_from(["succeeded", "throttled", "server_error"]), min_size=1, unique=True
        ),
        "status": st.lists(st.sampled_from(["200", "429", "503"]), min_size=1, max_size=2, unique=True),
        "latency_from": st.sampled_from(["0", "5", "9"]),
        "latency_to": st.sampled_from(["9", "100"]),
        "ttft_from": st.sampled_from(["1", "2"]),
        "tokens_from": st.sampled_from(["1", "10"]),
        "cost_from": st.sampled_from(["0.000000007", "0.000000009"]),
        "stream": st.sampled_from(["yes", "no"]),
        "provider": st.lists(st.sampled_from(["azure", "openai"]), min_size=1, unique=True),
        "error": st.just("OVERLOAD"),
        "tag": st.sampled_from(["x", "y", "none"]),
        "session": st.just("s"),
        "unpriced": st.sampled_from(["yes", "no"]),
    },
)
# How many are few, and how many are looked through: from "nothing is few" to "everything is".
LIMITS = st.sampled_from([(0, (7, 11, 1000)), (0, (1000,)), (5, (3, 1000)), (10_000, (1000,))])
relaxed = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def patch_limits(patch: Any, few: Any, steps: Any) -> None:
    for module in (plans, paging, totals):
        patch.setattr(module, "BOUND", few)
    patch.setattr(plans, "FEW_IN_INDEX", few)
    patch.setattr(plans, "FEW_ENOUGH", 0)
    patch.setattr(totals, "FEW", few)
    patch.setattr(paging, "STEPS", steps)
    patch.setattr(paging, "FIRST_STEPS", steps)
    patch.setattr(totals, "FIRST_STEPS", steps)


def ask(cast: Cast, asked: Any, who: str = "owner") -> CallFilterSet:
    data = QueryDict(mutable=True)
    for name, value in asked.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    role = "owner" if who == "owner" else "member"
    form = CallFilterSet(data, access=Access(cast.team, cast.user(who), role), now=NOW)
    assert form.is_valid(), form.errors
    return form


def recount(form: Any) -> list[Any]:
    """The ids that a plain look at every call finds, in the order of the list."""
    query = form.qs
    calls = list(Call.objects.filter(id__in=matching(query).values("id")))
    keys = {
        Sort.NEWEST: lambda call: (0, call.id),
        Sort.OLDEST: lambda call: (0, call.id),
        Sort.LATENCY: lambda call: (-1 if call.latency_ms is None else call.latency_ms, call.id),
        Sort.TOKENS: lambda call: (call.input_tokens + call.output_tokens, call.id),
        Sort.COST: lambda call: (call.cost_nanos, call.id),
    }
    calls.sort(key=keys[query.sort], reverse=query.sort.descends)
    return [call.id for call in calls]


@relaxed
@given(asked=FILTERS, sort=st.sampled_from(list(Sort)), size=st.integers(1, 40), limits=LIMITS)
def test_pages_have_every_call_once_in_order_and_back_again(
    cast: Cast, many: list[Caller], asked: Any, sort: Any, size: int, limits: Any
) -> None:
    form = ask(cast, {**asked, "sort": sort.value})
    query = form.qs
    with pytest.MonkeyPatch.context() as patch:
        few, steps = limits
        patch_limits(patch, few, steps)
        plan = make_plan(query)
        pages, place = [], None
        while True:
            page = find_page(query, plan, place, size)
            pages.append(page.ids)
            place = page.after
            if place is None:
                break
        expected = recount(form)
        assert [call_id for ids in pages for call_id in ids] == expected
        if not expected:
            return
        back: list[Any] = []
        place = Position(last_key(expected[-1], sort), back=True)
        while place is not None:
            page = find_page(query, plan, place, size)
            back = page.ids + back
            place = page.before
        assert back == expected[:-1]


def last_key(call_id: Any, sort: Any) -> tuple[object, ...]:
    from logs.browsing.pages import key_of

    return key_of(Call.objects.get(id=call_id), sort)


@relaxed
@given(asked=FILTERS, sort=st.sampled_from(list(Sort)), size=st.integers(1, 40), limits=LIMITS)
def test_the_first_page_is_the_same_where_its_total_comes_with_it(
    cast: Cast, many: list[Caller], asked: Any, sort: Any, size: int, limits: Any
) -> None:
    query = ask(cast, {**asked, "sort": sort.value}).qs
    with pytest.MonkeyPatch.context() as patch:
        patch_limits(patch, *limits)
        plan = make_plan(query)
        assert replace(find_first_page(query, plan, size), total=None) == replace(
            find_page(query, plan, size=size), total=None
        )


@relaxed
@given(asked=FILTERS, size=st.integers(1, 40))
def test_older_pages_stay_the_same_while_calls_arrive(
    cast: Cast, many: list[Caller], asked: Any, size: int
) -> None:
    form = ask(cast, asked)
    query, expected = form.qs, recount(form)
    plan, seen, place = make_plan(query), [], None
    while True:
        page = find_page(query, plan, place, size)
        if place is None:
            later = NOW + timedelta(seconds=Call.objects.count())
            arrived = [
                replace(reported(random.Random(n), f"new {later} {n}"), started_at=later) for n in range(3)
            ]
            record_calls(arrived, by=many[0], now=NOW)
        seen += page.ids
        place = page.after
        if place is None:
            break
    assert seen == expected


@relaxed
@given(
    asked=FILTERS,
    sort=st.sampled_from(list(Sort)),
    who=st.sampled_from(["owner", "member"]),
    few=st.sampled_from([0, 5, 10_000]),
)
def test_totals_agree_with_a_recount(
    cast: Cast, many: list[Caller], asked: Any, sort: Any, who: Any, few: Any
) -> None:
    form = ask(cast, {**asked, "sort": sort.value}, who)
    with pytest.MonkeyPatch.context() as patch:
        patch_limits(patch, few, (max(1, few), 1000))
        page = calls_page(form)
        without_page = totals.count_calls(form.qs, make_plan(form.qs))
    calls = Call.objects.filter(id__in=recount(form))
    for total, least in ((page.total, min(few, len(page.calls))), (without_page, 0)):
        if not total.is_exact:
            assert least <= total.calls <= len(calls)
            continue
        assert total.calls == len(calls)
        assert total.failed in {None, sum(call.outcome != 0 for call in calls)}
        assert total.cost_nanos in {None, sum(call.cost_nanos for call in calls)}
    if who == "member":
        assert {call.member_id for call in calls} <= {cast.member.pk}


@relaxed
@given(asked=FILTERS, sort=st.sampled_from(list(Sort)), limits=LIMITS, data=st.data())
def test_neighbours_are_those_of_the_list(
    cast: Cast, many: list[Caller], asked: Any, sort: Any, limits: Any, data: Any
) -> None:
    form = ask(cast, {**asked, "sort": sort.value})
    order = [None, *recount(form), None]
    if len(order) == 2:
        return
    at = data.draw(st.integers(1, len(order) - 2))
    with pytest.MonkeyPatch.context() as patch:
        patch_limits(patch, *limits)
        found = neighbours(form.qs, Call.objects.get(id=order[at]))
    # Where a search stops early a neighbour may be missing, never wrong.
    assert found[0] in {order[at - 1], None}
    assert found[1] in {order[at + 1], None}
    if 1000 in limits[1]:
        assert found == (order[at - 1], order[at + 1])


def test_a_cursor_of_other_filters_and_an_altered_one_are_refused(cast: Cast, many: list[Caller]) -> None:
    form = ask(cast, {"model": "one"})
    from logs.search.cursors import write_cursor

    page = find_page(form.qs, make_plan(form.qs), None, 3)
    cursor = write_cursor(page.after, form.form.fingerprint)
    assert ask(cast, {"model": "one", "cursor": cursor}).form.place == page.after

    def errors(asked: Any) -> str:
        role_form = CallFilterSet(QueryDict(asked), access=Access(cast.team, cast.owner, "owner"), now=NOW)
        return str(role_form.errors.get("cursor", ""))

    assert "other filters" in errors(f"model=two&cursor={cursor}")
    assert "other filters" in errors(f"model=one&sort=cost&cursor={cursor}")
    assert "no such page" in errors(f"model=one&cursor=x{cursor}")
    other = CallFilterSet(
        QueryDict(f"model=one&cursor={cursor}"), access=Access(cast.other_team, cast.outsider, "owner"), now=NOW
    )
    assert "other filters" in str(other.errors["cursor"])
