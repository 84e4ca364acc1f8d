"""Builds the CSV and JSON files that users download from the usage pages.

Numbers are exact, not rounded for display. Totals are never among the rows of a CSV file.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse, JsonResponse

from config.csv_export import csv_lines
from usage.anomalies.api import note_json
from usage.parameters.api import time_text
from usage.rollups.figures import Figures, Point
from usage.rollups.query import Dimension, Range, UsageQuery
from usage.statistics.api import figures_json, flattened
from usage.statistics.columns import exported
from usage.statistics.overview import Overview, Ranked
from usage.statistics.pages import OverviewPage, OwnPage
from usage.statistics.rows import Row


def overview_export(page: OverviewPage, kind: str) -> HttpResponse:
    """Returns a team's overview page as a file; `kind` is "csv" or "json".

    The CSV file has the figures of the charts, one row per time bucket. The JSON file also has the totals, the
    models, the top members or tokens, and the anomalies.
    """
    if kind == "csv":
        return _points_csv(page.overview, "overview")
    answer = {"team": page.query.team.slug, **_first(page), **_shown(page)}
    return JsonResponse(answer, headers=_attached("overview", "json"))


def _first(page: OverviewPage) -> dict[str, Any]:
    """Returns the rows of the overview's ranking panel, under the key "members" or "tokens".

    If the page has no panel, or a panel of models, "members" is empty: all models are in the file anyway.
    """
    top = page.top
    if top is None or top.by is Dimension.MODEL:
        return {"members": []}
    return {f"{top.by}s": [exported(row, top.by) for row in top.rows]}


def own_export(page: OwnPage, kind: str) -> HttpResponse:
    """Returns the user's own usage page as a file; `kind` is "csv" or "json".

    Like `overview_export`, except that the JSON file lists the user's contexts (teams and personal space)
    instead of members.
    """
    if kind == "csv":
        return _points_csv(page.overview, "usage")
    contexts = [_ranked({"team": one.query.team.slug}, one.ranked) for one in page.own.contexts]
    return JsonResponse({**_shown(page), "contexts": contexts}, headers=_attached("usage", "json"))


def _points_csv(shown: Overview, name: str) -> HttpResponse:
    rows = [
        {"from": time_text(point.start), **flattened(figures_json(point.figures))} for point in shown.points
    ]
    return _csv(rows, ["from", *flattened(figures_json(Figures()))], name)


def _shown(page: OverviewPage | OwnPage) -> dict[str, Any]:
    """Returns the JSON fields that the overview file and the file of one's own usage have in common."""
    query, shown, busiest = page.query, page.overview, page.busiest
    previous = {
        **_range(query.previous or query.range),
        "totals": figures_json(shown.figures_before),
        "points": _points(shown.points_before),
    }
    return {
        **_about(query),
        "totals": figures_json(shown.total),
        "points": _points(shown.points),
        "previous": previous if query.previous else None,
        "models": [_ranked({"model": row.key}, row) for row in page.models],
        "refused": page.refusals,
        "unusual": [note_json(note) for note in [*page.anomalies.notes, *page.anomalies.expected]],
        "busiest_hours": [
            {"weekday": slot.weekday, "hour": slot.hour, "calls": round(slot.calls, 3)}
            for _day, slots in (busiest.days if busiest else [])
            for slot in slots
            if slot.calls
        ],
    }


def ranking_export(query: UsageQuery, rows: Sequence[Row], by: Dimension, kind: str) -> HttpResponse:
    """Returns all rows of a ranking, in their order, as a CSV or JSON file; `kind` is "csv" or "json"."""
    lines = [exported(row, by) for row in rows]
    if kind == "csv":
        empty = exported(Row("", "", "", Ranked(0, 0, Figures(), None, 0.0), by=by), by)
        return _csv([flattened(line) for line in lines], list(flattened(empty)), f"ranking-by-{by}")
    answer = {"team": query.team.slug, **_about(query), "by": by.value, "rows": lines}
    return JsonResponse(answer, headers=_attached(f"ranking-by-{by}", "json"))


def _about(query: UsageQuery) -> dict[str, Any]:
    return {
        "mode": query.mode.word,
        **_range(query.range),
        "time_zone": query.team.time_zone,
        "granularity": query.granularity.value,
        "coarse_before": str(query.known.since) if query.known else None,
    }


def _range(of: Range) -> dict[str, str]:
    return {"from": time_text(of.start), "to": time_text(of.end)}


def _points(points: Iterable[Point]) -> list[dict[str, Any]]:
    return [{"from": time_text(point.start), **figures_json(point.figures)} for point in points]


def _ranked(named: dict[str, Any], ranked: Ranked) -> dict[str, Any]:
    return {
        "rank": ranked.rank,
        **named,
        **figures_json(ranked.figures),
        "share": ranked.share,
        "calls_before": ranked.before.calls if ranked.before else None,
        "change": ranked.change,
    }


def _csv(rows: Iterable[dict[str, Any]], header: list[str], name: str) -> HttpResponse:
    lines = csv_lines(header, (list(row.values()) for row in rows))
    return HttpResponse("".join(lines), content_type="text/csv; charset=utf-8", headers=_attached(name, "csv"))


def _attached(name: str, kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
