"""The unusual on the overview and the ranking: rings, notes, badges; calling it expected; what their files say."""

import csv
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from teams.models import Activity
from tests.conftest import Cast
from tests.usage.anomalies.conftest import LUNCH
from usage.anomalies.models import ExpectedEpisode

SENTENCE = "12:00 Thu: 1,02"


@pytest.fixture
def page(cast: Cast, client_of: Callable[..., Client], at_noon: None) -> Callable[..., str]:
    """`page("owner", "ranking/?period=7d")`: the HTML that this person gets."""

    def get(name: str, path: str = "", status: int = 200) -> str:
        response = client_of(name).get(f"/t/{cast.team.slug}/{path}")
        assert response.status_code == status
        return response.content.decode()

    return get


def chart(html: str) -> dict[str, Any]:
    return json.loads(re.search(r'<script id="trend" type="application/json">(.*?)</script>', html).group(1))


def rings(html: str) -> list[dict[str, Any]]:
    return [trace for trace in chart(html)["data"] if trace.get("mode") == "markers+text"]


def episode_key(html: str) -> str:
    return re.search(r'name="episode" value="([^"]+)"', html).group(1)


@pytest.mark.parametrize("name", ["owner", "administrator"])
def test_the_overview_tells_what_was_unusual_with_a_ring_in_the_chart(
    runaway: None, page: Callable[..., str], name: str
) -> None:
    html = page(name)
    assert SENTENCE in html
    assert re.search(r"By Mia \(\d+%\), with token script \(\d+%\), of gpt-4o-mini \(\d+%\)\.", html)
    (trace,) = rings(html)
    assert (trace["x"], trace["text"]) == (["2026-11-19T12:00"], ["1"])
    assert trace["customdata"][0].startswith("/t/harbour-research/logs/?from=2026-11-19T12%3A00")


@pytest.mark.parametrize("path", ["", "?period=30d"])
def test_what_a_ring_leads_to_is_a_link_of_the_list_below_it_too(
    runaway: None, page: Callable[..., str], path: str
) -> None:
    """A ring is reached by a click only."""
    html = page("owner", path)
    links = [
        href.replace("&amp;", "&") for href in re.findall(r'<a class="nowrap" href="([^"]*)">View calls', html)
    ]
    (trace,) = rings(html)
    assert trace["customdata"]
    assert set(trace["customdata"]) <= set(links)


def test_a_day_has_one_ring_for_all_its_episodes(runaway: None, page: Callable[..., str]) -> None:
    (trace,) = rings(page("owner", "?period=30d"))
    assert "2026-11-19" in trace["x"]


def test_quiet_weeks_have_neither_notes_nor_rings(usual: None, page: Callable[..., str]) -> None:
    html = page("owner")
    assert 'id="unusual"' not in html
    assert rings(html) == []


def test_a_member_is_told_of_their_own_calls_and_may_not_call_them_expected(
    runaway: None, page: Callable[..., str]
) -> None:
    html = page("member")
    assert "Mia: 1,0" in html
    assert SENTENCE not in html
    assert 'name="episode"' not in html


def test_the_ranking_flags_who_is_unusual(runaway: None, page: Callable[..., str]) -> None:
    html = page("owner", "ranking/")
    assert html.count("badge-bad") == 1
    assert re.search(r'member-usr_\w+">(?:(?!</tr>).)*Mia(?:(?!</tr>).)*badge-bad', html, re.DOTALL)


def test_the_ranking_also_flags_what_is_not_among_the_few_of_the_overview(
    usual: None, happen: Callable[..., None], page: Callable[..., str]
) -> None:
    happen("owner", 20, at=LUNCH - timedelta(days=3), status=500)
    for number, days in enumerate((16, 14, 10, 7)):
        happen("script", 400 * 3**number, at=LUNCH - timedelta(days=days))
    happen("script", 400, status=503)
    overview = page("owner", "?period=30d")
    assert "less important anomalies are not shown" in overview
    assert "By Olivia" not in overview
    html = page("owner", "ranking/?period=30d")
    assert re.search(r'member-usr_\w+">(?:(?!</tr>).)*Olivia(?:(?!</tr>).)*badge-bad', html, re.DOTALL)


def test_the_first_week_says_that_it_is_learning(
    cast: Cast, happen: Callable[..., None], page: Callable[..., str]
) -> None:
    happen("owner", 3)
    assert "Learning what is usual for this team" in page("owner")


def test_a_filter_by_model_leaves_what_names_it_and_says_that_it_was_looked_for_in_all_calls(
    runaway: None, page: Callable[..., str]
) -> None:
    for model, is_told in (("gpt-4o-mini", True), ("claude-sonnet-4-5", False)):
        html = page("owner", f"?model={model}")
        assert "Anomalies are searched for in all calls" in html
        assert (SENTENCE in html) == bool(rings(html)) == is_told


def test_an_expected_episode_is_quiet_and_can_be_told_again(
    cast: Cast, runaway: None, page: Callable[..., str], client_of: Callable[..., Client]
) -> None:
    client = client_of("administrator")
    answer = client.post(
        f"/t/{cast.team.slug}/unusual/expected/",
        {"episode": episode_key(page("administrator")), "reason": "Load test", "page": "period=7d"},
    )
    assert answer["Location"] == f"/t/{cast.team.slug}/?period=7d"
    html = page("owner")
    assert rings(html) == []
    assert "Load test" in html
    assert "badge-bad" not in page("owner", "ranking/")
    assert rings(page("member")) == [], "nor are those told whose calls made it"
    assert "Load test" in page("member")
    mark = ExpectedEpisode.objects.get()
    client.post(f"/t/{cast.team.slug}/unusual/expected/{mark.public_id}/remove/")
    assert len(rings(page("owner"))) == 1


@pytest.mark.parametrize(
    "form",
    [
        {"episode": "calls-20200101T0000Z", "reason": "Load test"},
        {"reason": "Load test"},
        {"episode": "", "reason": "", "page": "from=nonsense"},
    ],
)
def test_what_is_not_told_cannot_be_marked(
    cast: Cast, runaway: None, page: Callable[..., str], client_of: Callable[..., Client], form: dict[str, str]
) -> None:
    client = client_of("owner")
    client.post(f"/t/{cast.team.slug}/unusual/expected/", form)
    assert not ExpectedEpisode.objects.exists()
    assert "This anomaly is no longer shown." in client.get(f"/t/{cast.team.slug}/").content.decode()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (" ", "Enter why this was expected."),
        ("x" * 201, "The reason has 201 characters; enter at most 200."),
    ],
)
def test_a_mark_without_a_reason_or_with_too_long_a_one_is_refused(
    cast: Cast,
    runaway: None,
    page: Callable[..., str],
    client_of: Callable[..., Client],
    reason: str,
    words: str,
) -> None:
    client, form = client_of("owner"), {"episode": episode_key(page("owner")), "reason": reason}
    client.post(f"/t/{cast.team.slug}/unusual/expected/", form)
    assert not ExpectedEpisode.objects.exists()
    assert words in client.get(f"/t/{cast.team.slug}/").content.decode()


def test_a_reason_may_be_as_long_as_is_said(
    cast: Cast, runaway: None, page: Callable[..., str], client_of: Callable[..., Client]
) -> None:
    form = {"episode": episode_key(page("owner")), "reason": "x" * 200}
    client_of("owner").post(f"/t/{cast.team.slug}/unusual/expected/", form)
    assert ExpectedEpisode.objects.get().reason == "x" * 200


def test_activity_says_what_was_expected(
    cast: Cast, runaway: None, page: Callable[..., str], client_of: Callable[..., Client]
) -> None:
    form = {"episode": episode_key(page("owner")), "reason": "Load test"}
    client_of("owner").post(f"/t/{cast.team.slug}/unusual/expected/", form)
    assert Activity.objects.filter(kind="episode.expected").count() == 1
    assert "Olivia marked as expected: 12:00 Thu" in page("owner", "activity/")


def test_the_numbers_of_that_row_lead_to_the_calls_they_count(
    cast: Cast, runaway: None, page: Callable[..., str], client_of: Callable[..., Client]
) -> None:
    client = client_of("owner")
    form = {"episode": episode_key(page("owner")), "reason": "Load test"}
    client.post(f"/t/{cast.team.slug}/unusual/expected/", form)
    mark = ExpectedEpisode.objects.get()
    client.post(f"/t/{cast.team.slug}/unusual/expected/{mark.public_id}/remove/")
    html = page("owner", "activity/")
    links = re.findall(
        r'<a href="([^"]*)">Olivia (?:marked as expected|removed the mark “expected” from): 12:00 Thu: ([\d,]+)',
        html,
    )
    assert len(links) == 2
    for address, count in links:
        total = client.get(address.replace("&amp;", "&")).context["page"].total
        assert f"{total.calls:,}" == count
    assert "calls path" not in html


@pytest.mark.parametrize("query", ["", "?period=24h", "?period=30d", "?period=90d"])
def test_the_overview_asks_little_once_the_unusual_is_known(
    cast: Cast,
    runaway: None,
    at_noon: None,
    client_of: Callable[..., Client],
    query: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_of("owner")
    client.get(f"/t/{cast.team.slug}/{query}")
    with django_assert_max_num_queries(15):
        client.get(f"/t/{cast.team.slug}/{query}")


def test_the_personal_page_tells_of_ones_own_unusual_hours_and_of_nobody_elses(
    runaway: None, page: Callable[..., str], cast: Cast, client_of: Callable[..., Client]
) -> None:
    def personal(name: str, query: str = "") -> str:
        return client_of(name).get(f"/me/?period=7d{query}").content.decode()

    html = personal("member")
    assert "<b>Harbour Research:</b>" in html
    assert rings(html)[0]["x"] == ["2026-11-19T12:00"] or rings(html)[0]["x"] == ["2026-11-19T11:00"]
    assert "Expected</button>" not in html  # that is for the team's own page
    for unconcerned in ("owner", "administrator", "former", "outsider"):
        assert 'id="unusual"' not in personal(unconcerned)
    # In one context there is no need to say which.
    alone = personal("member", f"&team={cast.team.slug}")
    assert 'id="unusual"' in alone
    assert "<b>Harbour Research:</b>" not in alone


@pytest.mark.parametrize(("by", "name"), [("member", "Mia"), ("token", "script"), ("model", "gpt-4o-mini")])
def test_the_ranking_flags_who_and_what_drove_it_and_sorts_by_it(
    runaway: None, at_noon: None, cast: Cast, client_of: Callable[..., Client], by: str, name: str
) -> None:
    client = client_of("owner")
    flagged = client.get(f"/t/{cast.team.slug}/ranking/?period=7d&by={by}&sort=unusual").context["page"].shown
    assert [row.name for row in flagged if row.note][:1] == [name] == [flagged[0].name]
    assert flagged[-1].note is None


@pytest.mark.parametrize("by", ["member", "token", "model"])
def test_the_files_of_the_ranking_flag_the_same_rows_as_the_page(
    runaway: None, page: Callable[..., str], cast: Cast, client_of: Callable[..., Client], by: str
) -> None:
    address = f"/t/{cast.team.slug}/ranking/?period=7d&by={by}"
    shown = client_of("owner").get(address).context["page"].shown
    flags = [row.note.episode.sentence if row.note else None for row in shown]
    assert any(flags)
    rows = json.loads(page("owner", f"ranking/export/?period=7d&by={by}&format=json"))["rows"]
    assert [row["unusual"] for row in rows] == flags
    lines = csv.DictReader(page("owner", f"ranking/export/?period=7d&by={by}&format=csv").splitlines())
    assert [line["unusual"] or None for line in lines] == flags


def test_the_overviews_file_has_what_was_expected_too_with_the_reason(
    cast: Cast, runaway: None, page: Callable[..., str], client_of: Callable[..., Client]
) -> None:
    (new,) = json.loads(page("owner", "export/?period=7d&format=json"))["unusual"]
    assert new["expected"] is None
    form = {"episode": new["id"], "reason": "Load test", "page": "period=7d"}
    client_of("owner").post(f"/t/{cast.team.slug}/unusual/expected/", form)
    (marked,) = json.loads(page("owner", "export/?period=7d&format=json"))["unusual"]
    assert marked["id"] == new["id"]
    assert marked["expected"] == {"reason": "Load test", "marked_at": "2026-11-20T12:30:00Z"}
