"""GET /api/v1/usage: usage statistics for programs, as JSON or CSV."""

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.csv_export import csv_lines
from config.http import preferred_type
from teams.api import Credential, endpoint
from teams.models import Token
from usage.parameters.api import (
    RANGE_PARAMETERS,
    READER_PARAMETERS,
    Reader,
    _invalid,
    _tokens,
    _values,
    members_of,
    range_of,
    reader_of,
    refuse_unknown,
    time_text,
)
from usage.parameters.forms import checked_granularity, outcomes_named
from usage.parameters.names import people_of
from usage.prices.money import usd_string
from usage.rollups.figures import Figures
from usage.rollups.models import Outcome
from usage.rollups.query import OF_SINGLE_CALLS, Dimension, UsageQuery
from usage.rollups.resolution import UnknownTimesError, checked
from usage.statistics.overview import Table, table
from usage.statistics.single_calls import TooMuchError

PARAMETERS: Final = (
    *READER_PARAMETERS,
    *RANGE_PARAMETERS,
    *("member", "model", "token", "tag", "channel", "provider", "outcome"),
    *("group_by", "granularity"),
)
_COUNTS = (
    "calls",
    "succeeded",
    "client_errors",
    "throttled",
    "server_errors",
    "unpriced",
    "success_rate",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


@endpoint("GET")
def show_usage(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Returns usage figures, grouped by the dimensions in the parameter `group_by`, and their total."""
    refuse_unknown(request, PARAMETERS)
    reader = reader_of(request, credential)
    query, by = _query(request, reader, timezone.now())
    try:
        found = table(query, by)
    except TooMuchError as error:
        raise _invalid(error.param, str(error)) from error
    names = _names(reader, found)
    if preferred_type(request, ["application/json", "text/csv"]) == "text/csv":
        return _csv(found, names)
    rows = [{**_keys(found.by, key, names), **figures_json(figures)} for key, figures in found.rows]
    answer = {
        "from": time_text(query.range.start),
        "to": time_text(query.range.end),
        "time_zone": query.team.time_zone,
        "granularity": query.granularity,
        "rows": rows,
        "totals": figures_json(found.total),
    }
    return JsonResponse(answer)


def _query(request: HttpRequest, reader: Reader, now: datetime) -> tuple[UsageQuery, list[Dimension]]:
    asked = range_of(request, reader, now)
    try:
        granularity = checked_granularity(request.GET.get("granularity", ""), asked)
    except ValueError as error:
        raise _invalid("granularity", str(error)) from error
    query = UsageQuery(
        team=reader.team,
        mode=reader.mode,
        range=asked,
        granularity=granularity,
        members=members_of(request, reader),
        models=tuple(_values(request, "model")),
        tokens=_tokens(request, reader),
        tags=tuple(_values(request, "tag")),
        channels=tuple(_values(request, "channel")),
        providers=tuple(_values(request, "provider")),
        outcomes=_outcomes(request),
    )
    by = _dimensions(request)
    try:
        return checked(query, by, [*filter(request.GET.get, ("from", "to", "granularity"))], now), by
    except UnknownTimesError as error:
        raise _invalid(error.param, str(error)) from error


def _outcomes(request: HttpRequest) -> tuple[int, ...]:
    asked = _values(request, "outcome")
    known = outcomes_named(asked)
    if len(known) < len(asked):
        words = ", ".join(outcome.word for outcome in Outcome)
        raise _invalid("outcome", _("Take any of %s.") % words)
    return tuple(known.values())


def _dimensions(request: HttpRequest) -> list[Dimension]:
    """Returns the dimensions to group by from the parameter `group_by`, without duplicates.

    The parameter may be repeated, and may contain several names separated by commas. Without it, figures are
    grouped by time.
    """
    names = [part.strip() for text in request.GET.getlist("group_by") for part in text.split(",")]
    try:
        return [Dimension(name) for name in dict.fromkeys(filter(None, names))] or [Dimension.TIME]
    except ValueError:
        raise _invalid("group_by", _("Take any of %s.") % ", ".join(Dimension)) from None


# --- The answer ---------------------------------------------------------------------------------

Names = dict[Dimension, dict[Any, Any]]


def _names(reader: Reader, found: Table) -> Names:
    """Returns how the answer writes the keys of the rows, by dimension.

    Members are written as e-mail addresses, tokens as public ids, times and outcomes as text; other keys stay
    unchanged.
    """
    names: Names = {}
    for position, dimension in enumerate(found.by):
        keys = {key[position] for key, _row in found.rows}
        if dimension is Dimension.MEMBER:
            names[dimension] = {pk: one.email for pk, one in people_of(reader.team, also=keys).items()}
        elif dimension is Dimension.TOKEN:
            names[dimension] = dict(Token.objects.filter(pk__in=keys).values_list("pk", "public_id"))
        elif dimension is Dimension.TIME:
            names[dimension] = {key: time_text(key) for key in keys}
        elif dimension is Dimension.OUTCOME:
            names[dimension] = {key: Outcome(key).word for key in keys}
    return names


def _keys(by: tuple[Dimension, ...], key: tuple[Any, ...], names: Names) -> dict[str, Any]:
    """Returns the dimension fields of one row.

    All dimensions that rollups have are present, with null if the result is not grouped by them. Tag, channel,
    provider and outcome are present only if it is grouped by them. They are null for calls without such a
    value.
    """
    values = dict(zip(by, key, strict=True))
    return {
        dimension.value: names.get(dimension, {}).get(values.get(dimension), values.get(dimension)) or None
        for dimension in Dimension
        if dimension not in OF_SINGLE_CALLS or dimension in values
    }


def figures_json(figures: Figures) -> dict[str, Any]:
    """Returns figures as the API writes them.

    The cost is in US dollars, as text; latency and time to first token are in milliseconds.
    """
    return {
        **{name: getattr(figures, name) for name in _COUNTS},
        "cost_usd": usd_string(figures.cost_nanos),
        "latency_ms": _times(figures.latency_avg, figures.latency),
        "ttft_ms": _times(figures.ttft_avg, figures.ttft),
    }


def _times(average: float | None, percentiles: Any) -> dict[str, float | None]:
    values = {"avg": average, "p50": percentiles.p50, "p95": percentiles.p95, "p99": percentiles.p99}
    return {name: None if value is None else round(value, 1) for name, value in values.items()}


def _csv(found: Table, names: Names) -> HttpResponse:
    """Returns the rows as a CSV file, without the total, which a sum over the file would count twice."""
    rows = [flattened({**_keys(found.by, key, names), **figures_json(figures)}) for key, figures in found.rows]
    header = list(flattened({**_keys(found.by, (None,) * len(found.by), {}), **figures_json(Figures())}))
    lines = csv_lines(header, (list(row.values()) for row in rows))
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="usage.csv"'
    return response


def flattened(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a row with flat names for CSV: the value `p50` inside `latency_ms` becomes `latency_ms_p50`."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= (
            {f"{name}_{part}": one for part, one in value.items()} if isinstance(value, dict) else {name: value}
        )
    return flat
