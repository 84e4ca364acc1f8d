"""The latency of a list: bars that lead to exactly their calls, percentiles by time and model."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def latency(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`latency("owner", model="x")`: the context of the panel."""

    def get(name: str, **asked: Any) -> Any:
        response = client_of(name).get(reverse("logs:latency", args=[cast.team.slug]), asked)
        assert response.status_code == 200
        return response.context

    return get


@pytest.fixture
def some(record: Any) -> None:
    for n, ms in enumerate([0, 3, 3, 40, 41, 800, 5000, 60_000, None]):
        record("owner" if n % 2 else "member", f"r{n}", minutes=n + 1, latency_ms=ms, stream=n < 4)


@pytest.mark.parametrize("asked", [{}, {"stream": "no"}, {"outcome": "succeeded"}, {"model": "gpt-4o-mini"}])
def test_every_bar_leads_to_exactly_its_calls(
    cast: Cast,
    some: None,
    latency: Callable[..., Any],
    client_of: Callable[..., Client],
    asked: dict[str, Any] | dict[str, str],
) -> None:
    context = latency("owner", **asked)
    assert context["seen"].known == (4 if "stream" in asked else 8)
    for bar, _label, href in context["bars"]:
        page = client_of("owner").get(href).context["page"]
        assert page.total.calls == bar.calls
        assert len(page.calls) == bar.calls


@pytest.mark.parametrize("asked", [{"latency_from": "5002"}, {"latency_to": "5001"}])
def test_a_bar_at_the_edge_of_a_range_of_latency_leads_to_no_call_outside_of_it(
    record: Any, latency: Callable[..., Any], client_of: Callable[..., Client], asked: dict[str, str]
) -> None:
    for n in range(4):  # of one bar, which the range cuts through
        record("owner", f"r{n}", minutes=n + 1, latency_ms=5000 + n)
    ((bar, _label, href),) = latency("owner", **asked)["bars"]
    assert bar.calls == 2
    assert client_of("owner").get(href).context["page"].total.calls == 2


@pytest.mark.parametrize(
    "asked", [{}, {"stream": "no"}, {"from": "2026-11-20T12:50", "to": "2026-11-20T12:58"}]
)
def test_every_point_over_time_and_every_model_leads_to_exactly_its_calls(
    some: None,
    latency: Callable[..., Any],
    client_of: Callable[..., Client],
    asked: dict[str, Any] | dict[str, str],
) -> None:
    context = latency("owner", **asked)
    seen, follow = context["seen"], client_of("owner")
    # The chart counts calls of known latency.
    for href, (_at, figures) in zip(context["lines_chart"]["data"][0]["customdata"], seen.by_time, strict=True):
        assert follow.get(f"{href}&latency_from=0").context["page"].total.calls == figures.latency_count
    assert [model for model, _figures, _href in context["models"]] == ["gpt-4o-mini"]
    for model, figures, href in context["models"]:
        page = follow.get(href).context["page"]
        assert page.total.calls == figures.latency_count
        assert {row.call.model for row in page.calls} == {model}


@pytest.mark.parametrize("asked", [{}, {"stream": "no"}])
def test_a_model_whose_every_latency_is_known_leads_to_its_calls_without_another_filter(
    record: Any, latency: Callable[..., Any], asked: dict[str, Any] | dict[str, str]
) -> None:
    record("owner", "a")
    ((_model, _figures, href),) = latency("owner", **asked)["models"]
    assert "latency_from" not in href


def test_percentiles_by_model_and_time_are_those_of_the_calls(record: Any, latency: Callable[..., Any]) -> None:
    for n in range(10):
        record("owner", f"a{n}", model="one", latency_ms=(n + 1) * 3)
        record("owner", f"b{n}", model="two", latency_ms=7, stream=True)
    for asked in ({}, {"tokens_from": "1"}):
        seen = latency("owner", **asked)["seen"]
        by_model = {model: (figures.latency.p50, figures.latency_count) for model, figures in seen.by_model}
        assert by_model == {"one": (15, 10), "two": (7, 10)}
        assert [figures.latency_count for _at, figures in seen.by_time] == [20]


def test_a_member_sees_the_latency_of_their_own_calls(record: Any, latency: Callable[..., Any]) -> None:
    record("owner", "a", latency_ms=1)
    record("member", "b", latency_ms=2)
    for asked in ({}, {"stream": "no"}):
        assert [bar.start for bar in latency("member", **asked)["seen"].bars] == [2]


def test_no_calls_is_no_picture(latency: Callable[..., Any]) -> None:
    assert latency("owner")["seen"].bars == []


def test_the_charts_are_what_plotly_takes(some: None, latency: Callable[..., Any]) -> None:
    context = latency("owner")
    for name in ("bars_chart", "lines_chart"):
        go.Figure(context[name])


def test_a_wrong_filter_is_said(latency: Callable[..., Any]) -> None:
    assert "seen" not in latency("owner", latency_from="x")
