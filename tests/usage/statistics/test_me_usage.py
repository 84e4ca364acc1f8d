"""The personal page's statistics: in each context what its own page shows, together their sum, whatever is asked."""

import csv
import io
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from logs.models import Call
from teams.actions.teams import create_team
from teams.activity import SITE
from teams.models.keys import Token
from teams.models.teams import Team
from tests.conftest import Cast
from tests.usage.conftest import text_of
from tests.usage.contexts import NOW, new_token, report_random
from usage.rollups.query import PRESETS
from usage.statistics.overview import Overview


@pytest.fixture
def part(
    client_of: Callable[..., Client], tokens: dict[str, Token], places: dict[str, Team]
) -> Callable[..., Overview]:
    """`part("lab", "period=7d")`: the overview that the context's own page shows her."""
    client = client_of("member")

    def get(name: str, query: str) -> Overview:
        return (
            client.get(f"{reverse('usage:overview', args=[places[name].slug])}?{query}")
            .context["page"]
            .overview
        )

    return get


def numbers(figures: Any) -> tuple[object, ...]:
    return (
        figures.calls,
        (figures.client_errors, figures.throttled, figures.server_errors),
        (figures.input_tokens, figures.output_tokens, figures.unpriced),
        figures.cost_nanos,
        (figures.latency, figures.ttft),
    )


def by_name(page: Any, places: Any) -> dict[str, Any]:
    slugs = {team.slug: name for name, team in places.items()}
    return {slugs[one.membership.team.slug]: one for one in page.own.contexts}


@pytest.mark.parametrize("step", ["", "granularity=day"])
@pytest.mark.parametrize("period", PRESETS)
def test_each_context_has_what_its_own_page_shows_and_they_add_up(
    mine: Callable[..., Any], part: Callable[..., Overview], places: dict[str, Team], period: Any, step: str
) -> None:
    query = f"period={period}&{step}"
    page = mine(query).context["page"]
    for name, one in by_name(page, places).items():
        shown = part(name, query)
        assert numbers(one.figures) == numbers(shown.total)
        assert one.ranked.before.calls == shown.before.calls
    parts = [one.figures for one in page.own.contexts]
    total = page.overview.total
    assert (
        total.calls == sum(one.calls for one in parts) == sum(one.figures.calls for one in page.overview.points)
    )
    assert total.cost_nanos == sum(one.cost_nanos for one in parts)
    assert page.overview.before.calls == sum(one.ranked.before.calls for one in page.own.contexts)
    assert page.overview.before.calls == sum(one.figures.calls for one in page.overview.points_before)
    assert total.calls == sum(row.figures.calls for row in page.models) > 0


def test_days_meet_by_their_dates_on_each_contexts_own_calendar(
    mine: Callable[..., Any], places: dict[str, Team], tokens: dict[str, Token]
) -> None:
    points = mine("period=30d&granularity=day").context["page"].overview.points
    calls = Call.objects.filter(token_id__in=[token.pk for token in tokens.values()])
    zones = {team.pk: team.zone for team in places.values()}
    days = {str(call.pk): call.started_at.astimezone(zones[call.team_id]).date() for call in calls}
    for point in points[1:]:  # the first of New York's days is before the first of the others
        day = point.start.astimezone(places["personal"].zone).date()
        assert point.figures.calls == sum(one == day for one in days.values()), day
    # In Berlin and Kolkata it is tomorrow already, as seen from New York.
    assert points[-1].start.astimezone(places["personal"].zone).date() == NOW.date()


def test_one_context_is_shown_on_its_own_clock_as_its_own_page_shows_it(
    mine: Callable[..., Any], part: Callable[..., Overview], places: dict[str, Team]
) -> None:
    for name, team in places.items():
        shown = part(name, "period=7d")
        page = mine(f"period=7d&team={team.slug}").context["page"]
        assert numbers(page.overview.total) == numbers(shown.total)
        assert [(one.start, one.figures.calls) for one in page.overview.points] == [
            (one.start, one.figures.calls) for one in shown.points
        ]
        assert page.query.team == team


def test_a_range_of_ones_own_is_the_same_time_in_all_contexts(
    mine: Callable[..., Any], tokens: dict[str, Token]
) -> None:
    page = mine("from=2026-10-30T00:13&to=2026-11-01T22:47").context["page"]
    since, until = datetime(2026, 10, 30, 4, 13, tzinfo=UTC), datetime(2026, 11, 2, 3, 47, tzinfo=UTC)
    mine_of = Call.objects.filter(token_id__in=[token.pk for token in tokens.values()])
    expected = mine_of.filter(started_at__gte=since, started_at__lt=until)
    assert page.overview.total.calls == expected.count() > 100
    latencies = sorted(expected.values_list("ttft_ms", flat=True))
    assert page.overview.total.ttft.p50 == pytest.approx(latencies[len(latencies) // 2], rel=0.02, abs=15)


@pytest.mark.parametrize("query", ["period=7d", "period=month", "from=2026-10-30T00:13&to=2026-11-01T22:47"])
def test_each_context_leads_to_exactly_its_calls(
    mine: Callable[..., Any], client_of: Callable[..., Client], query: str
) -> None:
    response = mine(f"{query}&model=gpt-4o")
    html = text_of(response)
    client = client_of("member")
    for one in response.context["page"].own.contexts:
        start = f"/t/{one.membership.team.slug}/logs/?"
        link = start + html.split(f'href="{start}', 1)[1].split('"', 1)[0].replace("&amp;", "&")
        assert client.get(link).context["page"].total.calls == one.figures.calls


def test_filters_narrow_it_to_models_tokens_and_contexts(
    mine: Callable[..., Any], tokens: dict[str, Token], places: dict[str, Team]
) -> None:
    page = mine("period=90d&model=gpt-4o&model=house-model").context["page"]
    assert {row.key for row in page.models} == {"gpt-4o", "house-model"}
    assert page.overview.total.calls == sum(row.figures.calls for row in page.models)
    token = tokens["lab"]
    page = mine(f"period=90d&token={token.public_id}").context["page"]
    assert (
        page.overview.total.calls
        == {name: one.figures.calls for name, one in by_name(page, places).items()}["lab"]
        > 0
    )
    page = mine(f"period=90d&team={places['lab'].slug}&team={places['personal'].slug}").context["page"]
    assert set(by_name(page, places)) == {"lab", "personal"}


def test_several_clocks_are_said_and_one_is_not(mine: Callable[..., Any], places: dict[str, Team]) -> None:
    assert "Your contexts use several time zones" in text_of(mine())
    assert "on several clocks" not in text_of(mine(f"team={places['lab'].slug}"))


def test_test_mode_is_apart(mine: Callable[..., Any]) -> None:
    page = mine("mode=test&period=90d").context["page"]
    assert page.overview.total.calls == 20
    assert mine("mode=live&period=90d").context["page"].overview.total.calls > 200


NONSENSE = [
    ("team=nowhere", "You have no context “nowhere”."),
    ("team=outside", "You have no context “outside”."),
    ("token=tok_nothing", "You have no token “tok_nothing”."),
    ("from=2026-02-01T00:00&to=2026-01-01T00:00", "The end must be after the start."),
    ("from=2026-02-01T00:00", "Enter both the start and the end of the range."),
    ("from=2010-01-01T00:00&to=2026-01-01T00:00", "The range must be at most ten years long."),
    (
        "granularity=hour&from=2020-01-01T00:00&to=2026-01-01T00:00",
        "This step is too fine for such a long range",
    ),
    ("period=x", "Select a valid choice"),
]


@pytest.mark.parametrize(("query", "message"), NONSENSE)
def test_nonsense_is_told_and_the_limits_stay(mine: Callable[..., Any], query: str, message: str) -> None:
    response = mine(query)
    html = text_of(response)
    assert 'role="alert"' in html
    assert message in html
    assert "page" not in response.context
    assert "Remaining quota" in html


def test_a_token_of_somebody_else_is_none_of_hers(
    mine: Callable[..., Any], cast: Cast, places: dict[str, Team]
) -> None:
    other = new_token(places["lab"], cast.owner)
    assert "You have no token" in text_of(mine(f"token={other.public_id}"))


def test_the_files_have_what_the_page_shows(client_of: Callable[..., Client], mine: Callable[..., Any]) -> None:
    page = mine("period=7d&model=gpt-4o").context["page"]
    client, address = client_of("member"), reverse("usage:me-export")
    rows = list(
        csv.DictReader(io.StringIO(text_of(client.get(f"{address}?period=7d&model=gpt-4o&format=csv"))))
    )
    assert [int(row["calls"]) for row in rows] == [point.figures.calls for point in page.overview.points]
    answer = client.get(f"{address}?period=7d&model=gpt-4o&format=json").json()
    assert (
        answer["totals"]["calls"]
        == page.overview.total.calls
        == sum(one["calls"] for one in answer["contexts"])
    )
    assert answer["previous"]["totals"]["calls"] == page.overview.before.calls
    assert client.get(f"{address}?period=ever&format=csv").status_code == 400


@pytest.mark.parametrize(
    "query",
    ["period=30d", "period=24h", "period=90d&model=gpt-4o", "from=2026-10-30T00:13&to=2026-11-01T22:47"],
)
def test_more_contexts_take_no_more_queries(
    mine: Callable[..., Any], cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries, query: str
) -> None:
    def count() -> int:
        mine(query)  # works out what was unusual, once an hour
        with django_assert_max_num_queries(20) as captured:
            text_of(mine(query))
        return len(captured)

    few = count()
    for n in range(5):
        team = create_team(by=SITE, owner=cast.member, name=f"Club {n}", time_zone=["Asia/Tokyo", "UTC"][n % 2])
        report_random(random.Random(n), new_token(team, cast.member), f"club-{n}", 30)
    assert count() == few


def test_somebody_without_any_call_sees_sensible_zeros(client_of: Callable[..., Client], frozen: None) -> None:
    response = client_of("outsider").get(f"{reverse('usage:me')}?period=30d")
    html = text_of(response)
    assert response.context["page"].overview.total.calls == 0
    assert "nan" not in html.lower().replace("personal space", "")
    assert "0.0%" in html or "–" in html
