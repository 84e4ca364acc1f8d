"""The first five members, tokens or models on the overview: one panel, of which only the open tab is worked out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models import Token
from tests.conftest import Cast
from tests.usage.conftest import HTMX, text_of


@pytest.fixture
def six_more(token_of: Callable[..., tuple[Token, str]]) -> None:
    """Six calls of Mia's, each of another model and by another token."""
    now = timezone.now()
    for n in range(6):
        call = ReportedCall(request_id=f"more-{n}", started_at=now, model=f"model-{n}")
        record_calls([call], by=Caller(token=token_of("member")[0]), now=now)


@pytest.fixture
def panel(see: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """`panel("token")`: the lines of the panel, on the overview and loaded by itself, which must be the same."""

    def get(by: str, name: str = "owner", query: str = "period=7d") -> tuple[Any, Any]:
        asked = f"{query}&by={by}" if by else query
        whole, part = see(name, "overview", asked), see(name, "top", asked, **HTMX)
        assert text_of(part).strip().startswith('<section class="panel" id="usage-top"')
        found = [
            [(row.key, row.name, row.figures.calls, row.figures.latency.p95) for row in one.context["top"].rows]
            for one in (whole, part)
        ]
        assert found[0] == found[1]
        return whole.context["top"], text_of(whole).partition('id="usage-top"')[2].partition("</section>")[0]

    return get


def test_members_stand_there_at_first(panel: Callable[..., tuple[Any, Any]], calls: None) -> None:
    for by in ("", "member"):
        top, html = panel(by)
        assert [(row.name, row.figures.calls) for row in top.rows] == [("Mia", 3), ("Adam", 2), ("Fay", 1)]
        assert "Members by calls" in html
        assert "3 active" in html


def test_tokens_are_a_tab_with_their_holders_and_quotas(
    panel: Callable[..., tuple[Any, Any]], calls: None, cast: Cast
) -> None:
    top, html = panel("token")
    assert [(row.name, row.detail, row.figures.calls) for row in top.rows] == [
        ("laptop", "Mia", 3),
        ("laptop", "Adam", 2),
        ("laptop", "Fay", 1),
    ]
    assert top.rows[0].quota is not None
    assert "API tokens by calls" in html
    token = Token.objects.get(user=cast.member, mode=0)
    assert f"token={token.public_id}" in html
    assert "Actions for" not in html


def test_models_are_a_tab(panel: Callable[..., tuple[Any, Any]], calls: None) -> None:
    top, html = panel("model")
    assert [(row.name, row.figures.calls) for row in top.rows] == [
        ("gpt-4o-mini", 3),
        ("gpt-4o", 2),
        ("house-model", 1),
    ]
    assert "Quota" not in html


@pytest.mark.parametrize("by", ["member", "token", "model"])
def test_the_tabs_are_links_that_keep_the_filters_and_load_the_panel_alone(
    panel: Callable[..., tuple[Any, Any]], calls: None, by: str, cast: Cast
) -> None:
    _top, html = panel(by, query="period=30d&model=gpt-4o")
    slug = cast.team.slug
    for other, label in (("token", "API tokens"), ("model", "Models")):
        asked = f"?period=30d&amp;model=gpt-4o&amp;by={other}"
        assert f'href="/t/{slug}/{asked}#ranking-title"' in html
        assert f'hx-get="/t/{slug}/top/{asked}"' in html
        assert f'hx-push-url="/t/{slug}/{asked}"' in html
        assert label in html
    assert f'href="/t/{slug}/?period=30d&amp;model=gpt-4o#ranking-title"' in html
    assert html.count('aria-current="true"') == 1


@pytest.mark.parametrize("by", ["member", "token", "model"])
def test_only_five_are_shown_and_the_rest_is_on_the_ranking(
    panel: Callable[..., tuple[Any, Any]],
    see: Callable[..., Any],
    calls: None,
    six_more: None,
    cast: Cast,
    by: str,
) -> None:
    top, html = panel(by)
    assert (len(top.rows), top.active) == ((3, 3) if by == "member" else (5, 9))
    (ranking,) = [href for href in html.split('"') if f"/t/{cast.team.slug}/ranking/?" in href]
    rows = see("owner", "ranking", ranking.partition("?")[2].replace("&amp;", "&")).context["page"].shown
    assert [row.key for row in rows][: len(top.rows)] == [row.key for row in top.rows]


@pytest.mark.parametrize("query", ["by=channel", "by=token&period=x"])
def test_nonsense_is_told(see: Callable[..., Any], calls: None, query: str) -> None:
    for page in ("overview", "top"):
        assert 'role="alert"' in text_of(see("owner", page, query))


def test_a_member_has_no_such_panel(see: Callable[..., Any], calls: None) -> None:
    assert "usage-top" not in text_of(see("member", "overview", "by=token"))
    assert see("member", "top", "by=token").status_code == 403


def test_the_file_has_what_the_panel_shows(see: Callable[..., Any], calls: None) -> None:
    answer = see("owner", "overview-export", "format=json&by=token&period=7d").json()
    assert [one["calls"] for one in answer["tokens"]] == [3, 2, 1]
    assert "members" not in answer


@pytest.mark.parametrize("by", ["member", "token", "model"])
def test_the_export_has_the_time_to_first_token_that_the_page_does_not_read(
    see: Callable[..., Any], token_of: Callable[..., tuple[Token, str]], by: str
) -> None:
    now = timezone.now()
    call = ReportedCall(request_id="one", started_at=now, model="m", stream=True, latency_ms=900, ttft_ms=33)
    record_calls([call], by=Caller(token=token_of("member")[0]), now=now)
    answer = see("owner", "overview-export", f"format=json&by={by}&period=7d").json()
    rows = answer["models"] if by == "model" else [*answer["models"], *answer[f"{by}s"]]
    assert len(rows) == (1 if by == "model" else 2)
    assert [row["ttft_ms"]["p95"] for row in rows] == [33] * len(rows)
