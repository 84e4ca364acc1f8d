"""Builds the charts of the logs as Plotly's dicts. Texts have no HTML tags; colours are names of CSS variables."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from logs.browsing.latency_panel import Bar, Seen
from usage.rollups.query import Granularity, UsageQuery
from usage.statistics.charts import count_ticks, time_axis

Chart = dict[str, Any]
# The number of tick labels that a phone has room for.
_MOST_TICKS = 5


def latency_bars(seen: Seen, href: Callable[[Bar], str]) -> Chart:
    """Returns the bar chart of the number of calls by latency; each bar links to its calls."""
    bar = {
        "type": "bar",
        "x": [label(one) for one in seen.bars],
        "y": [one.calls for one in seen.bars],
        "customdata": [href(one) for one in seen.bars],
        "marker": {"color": "var(--series-calls)"},
        "hovertemplate": _("%{y:,} calls, %{x}") + "<extra></extra>",
    }
    step = max(1, -(-len(seen.bars) // _MOST_TICKS))
    ticks = range(0, len(seen.bars), step)
    xaxis = {"type": "category", "tickvals": [*ticks], "ticktext": [_tick(seen.bars[at].start) for at in ticks]}
    highest = max((one.calls for one in seen.bars), default=0)
    layout = {"xaxis": xaxis, "yaxis": count_ticks(highest, 3), "bargap": 0.08}
    return {"data": [bar], "layout": layout}


def latency_lines(seen: Seen, usage: UsageQuery, href: Callable[[datetime], str]) -> Chart:
    """Returns the line chart of the median and 95th percentile of latency over time; each point links to its
    calls.

    Latencies are in seconds; times are in the team's time zone.
    """
    pattern = "%Y-%m-%dT%H:%M" if usage.granularity is Granularity.HOUR else "%Y-%m-%d"
    x = [at.astimezone(usage.zone).strftime(pattern) for at, _figures in seen.by_time]
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(x) < 3 else "lines",
            "name": name,
            "x": x,
            "y": [_seconds(getattr(figures.latency, name)) for _at, figures in seen.by_time],
            "customdata": [href(at) for at, _figures in seen.by_time],
            "line": {"color": f"var(--series-{name})", "width": 1.5},
            "hovertemplate": f"{name} " + _("%{y:,.2f} s") + "<extra></extra>",
        }
        for name in ("p95", "p50")
    ]
    xaxis = time_axis(usage, _MOST_TICKS)
    return {"data": data, "layout": {"xaxis": xaxis, "yaxis": {"nticks": 3, "ticksuffix": " s"}}}


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def label(one: Bar) -> str:
    """Returns the range of latency of a bar, such as `120–150 ms` or `1.2–1.5 s`."""
    if one.start == one.end:
        return f"{one.start} ms"
    if one.end < 1000:
        return f"{one.start}–{one.end} ms"
    return f"{one.start / 1000:.3g}–{one.end / 1000:.3g} s"


def _tick(start: int) -> str:
    return f"{start} ms" if start < 1000 else f"{start / 1000:.3g} s"
