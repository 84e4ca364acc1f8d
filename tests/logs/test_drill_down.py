"""From a number to the calls behind it: the list's total is the number, whatever was clicked."""

import random
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.urls import reverse

from logs.callers import Caller
from logs.record import record_calls
from teams.access import Access
from tests.logs.conftest import NOW
from tests.logs.test_paging import reported
from usage.forms import UsageFilter
from usage.query import Dimension, next_bucket
from usage.statistics import overview, ranking

pytestmark = pytest.mark.usefixtures("now")
PERIODS = ["period=24h", "period=7d", "period=month", "from=2026-11-20T09:13&to=2026-11-20T11:59"]


@pytest.fixture
def recorded(cast, token_of):
    rng = random.Random(5)
    for index, name in enumerate(("owner", "member")):
        calls = [reported(rng, f"{index}-{n}", NOW - timedelta(hours=n)) for n in range(60)]
        record_calls(calls, by=Caller(token=token_of(name)[0]), now=NOW)


@pytest.fixture
def total(cast, client_of):
    """`total("period=7d", model="x")`: calls, failed and cost as the list says."""

    def get(period, name="owner", **asked):
        url = reverse("logs:list", args=[cast.team.slug])
        query = urlencode({key: value for key, value in asked.items() if value is not None}, doseq=True)
        found = client_of(name).get(f"{url}?{period}&{query}").context["page"].total
        assert found.is_exact
        return found.calls, found.failed, found.cost_nanos

    return get


def usage(cast, asked, name="owner"):
    access = Access(cast.team, cast.user(name), "owner" if name == "owner" else "member")
    form = UsageFilter(QueryDict(asked), access=access, now=NOW)
    assert form.is_valid()
    return form.query()


def numbers(figures):
    return figures.calls, figures.failed, figures.cost_nanos


@pytest.mark.parametrize("period", PERIODS)
def test_the_totals_of_the_overview_are_the_totals_of_the_list(cast, recorded, total, period):
    for name in ("owner", "member"):
        shown = overview(usage(cast, period, name)).total
        assert total(period, name) == numbers(shown)
        for outcome in ("succeeded", "client_errors", "throttled", "server_errors"):
            word = outcome.removesuffix("s") if outcome.endswith("errors") else outcome
            assert total(period, name, outcome=word)[0] == getattr(shown, outcome)
        assert total(period, name, unpriced="yes")[0] == shown.unpriced


@pytest.mark.parametrize("period", PERIODS)
def test_each_line_of_the_rankings_leads_to_as_many_calls(cast, recorded, total, period):
    people = {user.pk: user.public_id for user in (cast.owner, cast.member)}
    for row in ranking(usage(cast, period), Dimension.MEMBER):
        if row.key in people:
            assert total(period, member=people[row.key]) == numbers(row.figures)
    for row in ranking(usage(cast, period), Dimension.MODEL):
        assert total(period, model=row.key) == numbers(row.figures)


@pytest.mark.parametrize("granularity", ["hour", "day"])
def test_each_point_of_the_charts_leads_to_as_many_calls(cast, recorded, total, granularity):
    query = usage(cast, f"period=7d&granularity={granularity}&model=one&model=two")
    points = overview(query).points
    assert sum(point.figures.calls for point in points) > 10
    for point in points:
        if not point.figures.calls:
            continue
        start = max(point.start, query.range.start)
        end = min(next_bucket(point.start, query.granularity, query.zone), query.range.end)
        span = {"from": start.astimezone(query.zone).isoformat(), "to": end.astimezone(query.zone).isoformat()}
        assert total(urlencode(span), model=["one", "two"]) == numbers(point.figures)
