"""Builds charts as plain Plotly dicts from statistics.

Colours are names of CSS variables. Texts contain no tags except `<extra>`: Plotly would turn other tags into
inline styles, which the Content-Security-Policy forbids.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from usage.rollups.figures import Figures, Point
from usage.rollups.query import Granularity, Range, Span, UsageQuery
from usage.statistics.drill_down import Behind
from usage.statistics.overview import Overview

Chart = dict[str, Any]
# Plotly formats of tick labels. The second line of a label is drawn only at ticks where it changes.
_TICKS = {
    Granularity.DAY: "%-d %b",
    Granularity.WEEK: "%-d %b",
    Granularity.MONTH: "%b\n%Y",
}
_HOVER = {
    Granularity.HOUR: "%a %-d %b, %H:%M",
    Granularity.DAY: "%a %-d %b",
    Granularity.WEEK: "%-d %b, 7 d",
    Granularity.MONTH: "%B %Y",
}
_DAY_MS = 24 * 3600 * 1000
# Tick labels of an hourly axis, by the distance between two ticks in milliseconds.
_HOUR_TICKS = [
    {"dtickrange": [None, _DAY_MS / 2], "value": "%H:%M\n%a %-d"},
    {"dtickrange": [_DAY_MS, None], "value": "%a %-d"},
]
# Up to which length of the range each bucket has its own tick, and the distance between two ticks. By itself
# Plotly would draw more ticks, with repeated labels.
_EACH: dict[Granularity, tuple[timedelta, int | str]] = {
    Granularity.DAY: (timedelta(days=7), _DAY_MS),
    Granularity.WEEK: (timedelta(weeks=7), 7 * _DAY_MS),
    Granularity.MONTH: (timedelta(days=366), "M1"),
}
_MONDAY_THE_FIRST = "2024-01-01"
NANOS = 1_000_000_000


def trend(shown: Overview, marks: Sequence[tuple[Point, str, str]] = (), behind: Behind | None = None) -> Chart:
    """Returns the chart of calls (bars) and, in a separate area below, cost (line).

    The previous period is a thin line in both. `marks` are the numbered rings of anomalies: point, number and
    address. If `behind` is given, each bar links to its calls.
    """
    x = _times(shown.query, shown.points)
    calls = [point.figures.calls for point in shown.points]
    highest = _highest(calls, [point.figures.calls for point in shown.points_before]) or 1
    data: list[Chart] = [
        {
            "type": "bar",
            "name": _("Calls"),
            "x": x,
            "y": calls,
            "marker": {"color": "var(--series-calls)"},
            "hovertemplate": _("%{y:,} calls") + "<extra></extra>",
            **_links(shown.spans, behind),
        }
    ]
    links = _links(shown.spans_before[: len(x)], behind)
    data += _before(shown, x, lambda one: one.calls, _("%{y:,} in the previous period"), **links)
    if marks:
        data.append(_marks(shown.query, marks, highest))
    cost = [point.figures.cost_nanos / NANOS for point in shown.points]
    data += _before(
        shown, x, lambda one: one.cost_nanos / NANOS, _("$%{y:,.2f} in the previous period"), yaxis="y2"
    )
    data.append(_line(x, cost, "--series-cost", _("$%{y:,.2f}"), name=_("Cost"), yaxis="y2"))
    layout = {
        "xaxis": {**time_axis(shown.query), "anchor": "y2"},
        "yaxis": {"domain": [0.33, 1], "range": [0, highest * 1.16], **count_ticks(highest)},
        "yaxis2": {"domain": [0, 0.21], "tickprefix": "$", "nticks": 3, **_cost_range(shown, cost)},
        "bargap": 0.15,
    }
    return {"data": data, "layout": layout}


def count_ticks(highest: float, most: int = 5) -> Chart:
    """Returns the ticks of an axis that counts calls: at most `most`, and at whole numbers only.

    Plotly by itself would use fractions if the numbers are small.
    """
    return {"tickformat": ",d", "nticks": most, **({"dtick": 1} if highest < most else {})}


def _highest(now: Sequence[float], before: Sequence[float]) -> float:
    """Returns the highest value that an axis must show.

    A peak of the previous period is limited to 1.5 times the highest present value, because it would flatten
    the rest.
    """
    most, most_before = max(now, default=0), max(before, default=0)
    return max(most, min(most_before, 1.5 * most)) if most else most_before


def _cost_range(shown: Overview, cost: Sequence[float]) -> Chart:
    highest = _highest(cost, [point.figures.cost_nanos / NANOS for point in shown.points_before])
    return {"range": [0, highest * 1.1]} if highest else {}


def success(shown: Overview, behind: Behind | None = None) -> Chart:
    """Returns the chart of the success rate in percent, also for the previous period.

    Time buckets without calls are gaps. If `behind` is given, each point links to its failed calls or, if none
    failed, to all its calls.
    """
    values = [_success_percent(point.figures) for point in shown.points]
    before = [_success_percent(point.figures) for point in shown.points_before]
    lowest = min((value for value in [*values, *before] if value is not None), default=100.0)
    bottom = next(floor for floor in (90, 75, 50, 0) if lowest >= floor)
    ticks = [bottom, (bottom + 100) / 2, 100]
    x = _times(shown.query, shown.points)
    line = _line(x, values, "--series-calls", _("%{y:.1f} % succeeded"))
    yaxis = {
        "range": [bottom, 100.4 if bottom == 90 else 102],
        "tickvals": ticks,
        "ticktext": [f"{tick:g} %" for tick in ticks],
        "rangemode": "normal",
    }
    line |= _links(shown.spans, behind, lambda one: {"outcome": "failed"} if one.failed else {})
    data = [*_before(shown, x, _success_percent, _("%{y:.1f} % in the previous period")), line]
    return {"data": data, "layout": {"xaxis": time_axis(shown.query), "yaxis": yaxis}}


def _success_percent(figures: Figures) -> float | None:
    rate = figures.success_rate
    return None if rate is None else rate * 100


def latency(shown: Overview, behind: Behind | None = None) -> Chart:
    """Returns the chart of latency in seconds: the 50th, 95th and 99th percentile.

    For the previous period it shows the 95th. If `behind` is given, each point links to its calls, slowest
    first.
    """
    x = _times(shown.query, shown.points)
    data = _before(
        shown,
        x,
        lambda one: _seconds(one.latency.p95),
        "p95 " + _("%{y:,.2f} s in the previous period"),
        shape="linear",
    )
    for name in ("p99", "p95", "p50"):
        seconds = [_seconds(getattr(point.figures.latency, name)) for point in shown.points]
        line = _line(x, seconds, f"--series-{name}", f"{name} " + _("%{y:,.2f} s"), name=name, shape="linear")
        if name == "p99":
            line["line"] |= {"dash": "4px,2px", "width": 1.25}
            line |= _links(shown.spans, behind, lambda _one: {"sort": "latency"})
        data.append(line)
    return {
        "data": data,
        "layout": {"xaxis": time_axis(shown.query), "yaxis": {"ticksuffix": " s", "nticks": 4}},
    }


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def trend_summary(shown: Overview) -> str:
    """Returns the chart of calls and cost in words, for people who cannot see it."""
    busiest = shown.busiest
    if busiest is None:
        return _("Calls and cost over time: no calls.")
    return _("Calls and cost over time. %(calls)s calls; the maximum is %(most)s, from %(when)s.") % {
        "calls": f"{shown.total.calls:,}",
        "most": f"{busiest.figures.calls:,}",
        "when": f"{busiest.start.astimezone(shown.query.zone):%Y-%m-%d %H:%M}",
    }


def sparklines(shown: Overview) -> dict[str, str]:
    """Returns the small curves of the overview's tiles, by the name of the figure."""
    series = [point.figures for point in shown.points]
    return {
        "calls": sparkline([one.calls for one in series]),
        "success": sparkline([one.success_rate for one in series]),
        "p95": sparkline([one.latency.p95 for one in series]),
        "tokens": sparkline([one.tokens for one in series]),
        "cost": sparkline([one.cost_nanos for one in series]),
    }


def sparkline(values: Sequence[float | None]) -> str:
    """Returns the points of an SVG polyline in a box of 72 × 24; "" if fewer than two values are known.

    Unknown values (None) are skipped, so the curve has no gaps.
    """
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low = min(value for _index, value in known)
    span = (max(value for _index, value in known) - low) or 1
    step = 72 / (len(values) - 1)
    return " ".join(f"{index * step:.1f},{22 - (value - low) / span * 20:.1f}" for index, value in known)


def _times(query: UsageQuery, points: Sequence[Point]) -> list[str]:
    """Returns the starts of the time buckets as text in the team's time zone, which Plotly draws unchanged."""
    pattern = "%Y-%m-%dT%H:%M" if query.granularity is Granularity.HOUR else "%Y-%m-%d"
    return [point.start.astimezone(query.zone).strftime(pattern) for point in points]


def time_axis(query: UsageQuery, most: int = 8) -> Chart:
    """Returns a time axis with about `most` ticks, labelled to suit the query's granularity."""
    step = query.granularity
    axis: Chart = {"type": "date", "hoverformat": _HOVER[step], "nticks": most, "automargin": "height"}
    if step is Granularity.HOUR:
        return axis | {"tickformatstops": _HOUR_TICKS}
    longest, apart = _EACH[step]
    each = {"tick0": _MONDAY_THE_FIRST, "dtick": apart} if query.range.length <= longest else {}
    return axis | {"tickformat": _TICKS[step]} | each


def _line(
    x: Sequence[str],
    y: Sequence[float | None],
    color: str,
    hover: str,
    *,
    name: str = "",
    shape: str = "hvh",
    **more: Any,
) -> Chart:
    """Returns a line with gaps where `y` is None.

    A value between two gaps is drawn as a dot, because a line of one point would be invisible.
    """
    around = [None, *y, None]
    lone = [value is not None and around[at] is around[at + 2] is None for at, value in enumerate(y)]
    paint = f"var({color})"
    dots = {"mode": "lines+markers", "marker": {"size": [4 * one for one in lone], "color": paint}}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": paint, "width": 1.5, "shape": shape},
        "connectgaps": False,
        "hovertemplate": f"{hover}<extra></extra>",
        **(dots if any(lone) else {}),
        **more,
    }


def _links(
    spans: Sequence[tuple[Point, Span]],
    behind: Behind | None,
    narrower: Callable[[Figures], dict[str, str]] = lambda _figures: {},
) -> Chart:
    """Returns the drill-down link of each point for Plotly (`customdata`); None for a point without calls.

    `narrower` returns the additional filters for a point's figures.
    """
    if behind is None:
        return {}
    ways: dict[tuple[tuple[str, str], ...], Callable[[Range], str]] = {}
    links: list[str | None] = []
    for point, span in spans:
        asked = tuple(narrower(point.figures).items())
        if asked not in ways:
            ways[asked] = behind.by_range(**dict(asked))
        links.append(ways[asked](span) if point.figures.calls else None)
    return {"customdata": links}


def _before(
    shown: Overview, x: Sequence[str], value: Callable[[Figures], float | None], hover: str, **more: Any
) -> list[Chart]:
    """Returns the previous period as a thin line; an empty list if there is nothing to compare with.

    Its buckets are aligned with those of the period by their position: the first with the first, and so on.
    """
    values = [value(point.figures) for point in shown.points_before][: len(x)]
    if not values:
        return []
    line = _line(x[: len(values)], values, "--series-past", hover, name=_("Previous"), **more)
    line["line"]["width"] = 1
    return [line]


def _marks(query: UsageQuery, marks: Sequence[tuple[Point, str, str]], highest: float) -> Chart:
    points = [point for point, _number, _link in marks]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": _times(query, points),
        "y": [point.figures.calls + highest * 0.06 for point in points],
        "text": [number for _point, number, _link in marks],
        "customdata": [link for _point, _number, link in marks],
        "textfont": {"size": 10, "color": "var(--bad)", "weight": 600},
        "marker": {"symbol": "circle-open", "size": 16, "color": "var(--bad)", "line": {"width": 1.5}},
        "hoverinfo": "none",  # no text on hover, but unlike "skip" it can be clicked
        "cliponaxis": False,
    }
