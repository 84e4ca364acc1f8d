"""Charts: dicts that Plotly takes, with gaps where nothing is known, and no tags that would become styles."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest

from teams.models import Mode, Team
from usage.rollups.figures import Figures, Percentiles, Point
from usage.rollups.query import Granularity, Range, UsageQuery
from usage.statistics import charts
from usage.statistics.overview import Overview

START = datetime(2026, 11, 2, tzinfo=UTC)
BUSY = Figures(
    calls=10, succeeded=9, server_errors=1, cost_nanos=2_500_000_000, latency=Percentiles(200, 900, 1500)
)
FULL: dict[str, Any] = {"calls": 100, "succeeded": 100, "cost_nanos": 7, "latency": Percentiles(1, 2, 3)}


def shown(*figures: Figures, granularity: Granularity = Granularity.DAY, compare: bool = True) -> Overview:
    """An overview of these buckets, each compared with the same one before."""
    query = UsageQuery(
        team=Team(name="Harbour", slug="harbour", time_zone="Asia/Kolkata"),
        mode=Mode.LIVE,
        range=Range(START, START + timedelta(days=len(figures))),
        granularity=granularity,
    )
    points = [Point(START + timedelta(days=n), one) for n, one in enumerate(figures)]
    whole = Figures()
    for one in figures:
        whole.absorb(one)
    return Overview(query, whole, points, whole if compare else None, points if compare else [])


def all_charts(overview: Overview) -> dict[str, charts.Chart]:
    marks = [(overview.points[0], "1", "/t/harbour/logs/?from=2026")] if overview.points else []
    return {
        "trend": charts.trend(overview),
        "trend with marks": charts.trend(overview, marks),
        "success": charts.success(overview),
        "latency": charts.latency(overview),
    }


CASES = {
    "busy": [BUSY, Figures(), Figures(**FULL)],
    "nothing at all": [Figures(), Figures(), Figures()],
    "one bucket": [BUSY],
    "all failed": [Figures(calls=3, server_errors=3)],
    "no buckets": [],
}


@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize("compare", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_plotly_takes_every_chart(case: Any, compare: bool, granularity: Any) -> None:
    for name, chart in all_charts(shown(*CASES[case], granularity=granularity, compare=compare)).items():
        plain = json.loads(json.dumps(chart, allow_nan=False))
        go.Figure(_without_variables(plain)), name


def _without_variables(node: Any) -> Any:
    """Colours are CSS variables, which the script resolves before Plotly sees them."""
    if isinstance(node, dict):
        return {key: _without_variables(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_variables(value) for value in node]
    return "#000000" if isinstance(node, str) and node.startswith("var(--") else node


def texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


@pytest.mark.parametrize("case", CASES)
def test_no_text_has_a_tag_but_extra(case: Any) -> None:
    for chart in all_charts(shown(*CASES[case])).values():
        for text in texts(chart):
            assert set(re.findall(r"<\s*/?\s*(\w+)", text)) <= {"extra"}, text


def test_an_empty_bucket_is_a_gap_in_rates_and_latency_and_zero_in_sums() -> None:
    overview = shown(*CASES["busy"])
    _before, success = charts.success(overview)["data"]
    assert success["y"] == [90.0, None, 100.0]
    assert success["connectgaps"] is False
    for line in charts.latency(overview)["data"]:
        assert (line["y"][1], line["connectgaps"]) == (None, False)
    bars, *_lines, cost = charts.trend(overview)["data"]
    assert bars["y"] == [10, 0, 100]
    assert cost["y"] == [2.5, 0.0, 7e-9]


def test_a_value_between_two_gaps_is_a_dot() -> None:
    (lone,) = charts.success(shown(Figures(), BUSY, Figures(), BUSY, BUSY, compare=False))["data"]
    assert (lone["mode"], lone["marker"]["size"]) == ("lines+markers", [0, 4, 0, 0, 0])
    (line,) = charts.success(shown(BUSY, BUSY, compare=False))["data"]
    assert line["mode"] == "lines"


def test_times_are_those_of_the_teams_clock() -> None:
    assert charts.trend(shown(BUSY, granularity=Granularity.HOUR))["data"][0]["x"] == ["2026-11-02T05:30"]
    assert charts.trend(shown(BUSY, granularity=Granularity.DAY))["data"][0]["x"] == ["2026-11-02"]


def test_the_period_before_lies_over_the_same_buckets() -> None:
    overview = shown(BUSY, Figures(**FULL))
    before = next(line for line in charts.trend(overview)["data"] if line.get("name") == "Previous")
    assert (before["x"], before["y"]) == (["2026-11-02", "2026-11-03"], [10, 100])
    assert not any(line.get("name") == "Previous" for line in charts.trend(shown(BUSY, compare=False))["data"])


def befores(chart: charts.Chart) -> list[list[float | None]]:
    return [line["y"] for line in chart["data"] if line.get("name") == "Previous"]


def test_every_chart_is_compared_with_the_period_before() -> None:
    overview = shown(BUSY, Figures(), Figures(**FULL))
    assert befores(charts.trend(overview)) == [[10, 0, 100], [2.5, 0.0, 7e-9]]
    assert befores(charts.success(overview)) == [[90.0, None, 100.0]]
    assert befores(charts.latency(overview)) == [[0.9, None, 0.002]]
    alone = shown(BUSY, compare=False)
    assert not any(befores(one) for one in (charts.trend(alone), charts.success(alone), charts.latency(alone)))


def test_a_peak_of_the_period_before_does_not_flatten_the_present() -> None:
    overview = shown(BUSY, BUSY)
    peak = replace(overview, points_before=[Point(START, Figures(calls=9000, cost_nanos=10**12))])
    layout = charts.trend(peak)["layout"]
    assert layout["yaxis"]["range"] == [0, pytest.approx(1.16 * 15)]
    assert layout["yaxis2"]["range"] == [0, pytest.approx(1.1 * 3.75)]
    nothing_now = replace(shown(Figures()), points_before=[Point(START, Figures(calls=9000))])
    assert charts.trend(nothing_now)["layout"]["yaxis"]["range"] == [0, pytest.approx(1.16 * 9000)]


def test_the_axis_of_the_success_rate_shows_the_worst_bucket() -> None:
    (low, _high) = charts.success(shown(Figures(calls=10, succeeded=2)))["layout"]["yaxis"]["range"]
    assert low == 0
    (low, _high) = charts.success(shown(Figures(**FULL)))["layout"]["yaxis"]["range"]
    assert low == 90


def test_the_trend_in_words_names_the_busiest_bucket() -> None:
    words = charts.trend_summary(shown(*CASES["busy"]))
    assert "110 calls" in words
    assert "100, from 2026-11-04 05:30" in words
    assert "no calls" in charts.trend_summary(shown(Figures()))


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([], ""),
        ([5], ""),
        ([None, None, 3], ""),
        ([0, 10], "0.0,22.0 72.0,2.0"),
        ([4, 4, 4], "0.0,22.0 36.0,22.0 72.0,22.0"),
        ([0, None, 10], "0.0,22.0 72.0,2.0"),
    ],
)
def test_a_sparkline_spans_its_box(values: list[Any] | list[int] | list[int | None], points: str) -> None:
    assert charts.sparkline(values) == points


def time_axes(overview: Overview) -> list[charts.Chart]:
    return [chart["layout"]["xaxis"] for chart in all_charts(overview).values()]


def test_ticks_within_a_day_have_their_hour_and_others_their_day() -> None:
    for axis in time_axes(shown(BUSY, granularity=Granularity.HOUR)):
        within, beyond = axis["tickformatstops"]
        assert (within["value"], beyond["value"]) == ("%H:%M\n%a %-d", "%a %-d")
        assert within["dtickrange"][1] < beyond["dtickrange"][0] == 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("granularity", "step"),
    [(Granularity.DAY, 86_400_000), (Granularity.WEEK, 7 * 86_400_000), (Granularity.MONTH, "M1")],
)
def test_no_day_week_or_month_has_two_ticks(granularity: Granularity, step: int | str) -> None:
    for axis in time_axes(shown(BUSY, BUSY, granularity=granularity)):
        assert (axis["tick0"], axis["dtick"]) == ("2024-01-01", step)
    for axis in time_axes(shown(*[BUSY] * 367, granularity=granularity)):
        assert "dtick" not in axis


@pytest.mark.parametrize(("calls", "step"), [(1, 1), (2, 1), (4, 1), (5, None), (900, None)])
def test_calls_are_counted_in_whole_numbers(calls: int, step: int | None) -> None:
    axis = charts.trend(shown(Figures(calls=calls), compare=False))["layout"]["yaxis"]
    assert (axis["tickformat"], axis.get("dtick")) == (",d", step)
