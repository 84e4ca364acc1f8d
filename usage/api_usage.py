"""GET /api/v1/usage: the statistics for programs, as JSON or CSV."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.csvs import csv_lines
from config.http import preferred_type
from teams.api import ApiError, Credential, endpoint
from teams.credentials import tokens_with_standing
from teams.models import GatewayKey, Mode, Role, Team, Token, User
from usage.buckets import day_start
from usage.figures import Figures
from usage.forms import EARLIEST_YEAR, LATEST_YEAR, LONGEST, MOST_VALUES, checked_granularity
from usage.kept import UnknownTimesError, checked
from usage.money import usd_string
from usage.people import ids_named, people_named, people_of, tokens_named
from usage.query import Dimension, Range, UsageQuery
from usage.statistics import Table, table

_DEFAULT_DAYS = 30
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


@dataclass(frozen=True)
class Reader:
    """Whose figures a key may read: a team's, or (with `only`) one member's in it."""

    team: Team
    mode: Mode
    only: User | None


@endpoint("GET")
def show_usage(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Figures by time, member, model and token, with their total apart."""
    reader = reader_of(request, credential)
    query, by = _query(request, reader, timezone.now())
    found = table(query, by)
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


def reader_of(request: HttpRequest, credential: Credential) -> Reader:
    """What this key may read. Raises ApiError: a site key must name a team, a member sees only themselves."""
    slug, mode = request.GET.get("team", ""), _mode(request)
    if isinstance(credential, GatewayKey):
        return Reader(_team_of(credential, slug), mode or Mode.LIVE, None)
    if slug and slug != credential.team.slug:
        raise ApiError(403, "out_of_scope", _("This token belongs to another team."), param="team")
    token = tokens_with_standing().get(pk=credential.pk)
    role: str = token.role  # type: ignore[attr-defined]  # the annotation of tokens_with_standing
    sees_team = role in {Role.OWNER, Role.ADMINISTRATOR}
    own_mode = Mode(credential.mode) if mode is None else mode
    return Reader(credential.team, own_mode, None if sees_team else credential.user)


def _team_of(key: GatewayKey, slug: str) -> Team:
    if key.team is not None:
        if slug not in {"", key.team.slug}:
            raise ApiError(403, "out_of_scope", _("This key is for another team."), param="team")
        return key.team
    team = Team.objects.filter(slug=slug, deleted_at=None).first()
    if team is None:
        raise ApiError(404, "not_found", _("Name an existing team by its slug."), param="team")
    return team


def _mode(request: HttpRequest) -> Mode | None:
    word = request.GET.get("mode")
    if word is None:
        return None
    for mode in Mode:
        if word == mode.word:
            return mode
    raise _invalid("mode", _("Take live or test."))


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
    )
    by = _dimensions(request)
    try:
        return checked(query, by, [*filter(request.GET.get, ("from", "to", "granularity"))], now), by
    except UnknownTimesError as error:
        raise _invalid(error.param, str(error)) from error


def range_of(request: HttpRequest, reader: Reader, now: datetime) -> Range:
    """The range asked for, the last 30 days if none. Raises ApiError."""
    end = _instant(request, "to", reader.team) or now
    start = _instant(request, "from", reader.team) or end - timedelta(days=_DEFAULT_DAYS)
    if start >= end:
        raise _invalid("to", _("`to` must be after `from`."))
    if end - start > LONGEST:
        raise _invalid("from", _("A range can be ten years long at most."))
    return Range(start, end)


def _instant(request: HttpRequest, name: str, team: Team) -> datetime | None:
    """A time with an offset, or a date, which begins at midnight of the team's zone."""
    text = request.GET.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(name, _("Write a time such as 2026-11-01T00:00:00Z, or a date.")) from None
    # No call lies outside; beyond these years the arithmetic of time runs out.
    if not EARLIEST_YEAR <= at.year < LATEST_YEAR:
        raise _invalid(name, _("The year is beyond what this site knows."))
    if len(text) <= len("2026-11-01"):
        return day_start(at.date(), team.zone)
    if at.tzinfo is None:
        raise _invalid(name, _("Give the time an offset, such as Z or +01:00."))
    return at.astimezone(UTC)


def _dimensions(request: HttpRequest) -> list[Dimension]:
    """What the rows are divided by, each once: repeated, or several with commas; by time if nothing is said."""
    names = [part.strip() for text in request.GET.getlist("group_by") for part in text.split(",")]
    try:
        return [Dimension(name) for name in dict.fromkeys(filter(None, names))] or [Dimension.TIME]
    except ValueError:
        raise _invalid("group_by", _("Take any of time, member, model, token.")) from None


def _values(request: HttpRequest, name: str) -> list[str]:
    """The values of a parameter that may be repeated, each once and whole: a model's name may have commas."""
    values = list(dict.fromkeys(text[:254].replace("\x00", "") for text in request.GET.getlist(name) if text))
    if len(values) > MOST_VALUES:
        raise _invalid(name, _("Take at most %d at once.") % MOST_VALUES)
    return values


def members_of(request: HttpRequest, reader: Reader) -> tuple[int, ...]:
    """Members by address or public id. Somebody who may see only themselves gets only themselves.

    They are told the same of everybody else, so nobody learns who else is in the team.
    """
    asked = _values(request, "member")
    if reader.only is not None:
        if {*asked} - ids_named([reader.only], asked).keys():
            raise ApiError(403, "out_of_scope", _("Your role sees your own usage only."), param="member")
        return (reader.only.pk,)
    known = people_named(reader.team, asked) if asked else {}
    if unknown := [name for name in asked if name not in known]:
        raise ApiError(404, "not_found", _("There is no member %s here.") % unknown[0], param="member")
    return tuple(sorted({known[name] for name in asked}))


def _tokens(request: HttpRequest, reader: Reader) -> tuple[int, ...]:
    asked = _values(request, "token")
    known = tokens_named(reader.team, asked, holder=reader.only) if asked else {}
    if unknown := [name for name in asked if name not in known]:
        raise ApiError(404, "not_found", _("There is no token %s here.") % unknown[0], param="token")
    return tuple(known.values())


def _invalid(param: str, message: str) -> ApiError:
    return ApiError(400, "invalid_request", message, param=param)


# --- The answer ---------------------------------------------------------------------------------

Names = dict[Dimension, dict[Any, Any]]


def _names(reader: Reader, found: Table) -> Names:
    """What the keys of the rows are called outside: addresses of members, public ids of tokens."""
    names: Names = {}
    for position, dimension in enumerate(found.by):
        keys = {key[position] for key, _row in found.rows}
        if dimension is Dimension.MEMBER:
            names[dimension] = {pk: one.email for pk, one in people_of(reader.team, also=keys).items()}
        elif dimension is Dimension.TOKEN:
            names[dimension] = dict(Token.objects.filter(pk__in=keys).values_list("pk", "public_id"))
        elif dimension is Dimension.TIME:
            names[dimension] = {key: time_text(key) for key in keys}
    return names


def _keys(by: tuple[Dimension, ...], key: tuple[Any, ...], names: Names) -> dict[str, Any]:
    """All four dimensions; null where the figures are not divided by one."""
    values = dict(zip(by, key, strict=True))
    return {
        dimension.value: names.get(dimension, {}).get(values.get(dimension), values.get(dimension)) or None
        for dimension in Dimension
    }


def figures_json(figures: Figures) -> dict[str, Any]:
    """A set of figures as the API writes it."""
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
    """The rows alone: a total among them would be summed twice."""
    rows = [flattened({**_keys(found.by, key, names), **figures_json(figures)}) for key, figures in found.rows]
    header = list(flattened({**_keys((), (), names), **figures_json(Figures())}))
    lines = csv_lines(header, (list(row.values()) for row in rows))
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="usage.csv"'
    return response


def flattened(row: dict[str, Any]) -> dict[str, Any]:
    """A row for CSV: `latency_ms: {p50}` becomes `latency_ms_p50`."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= (
            {f"{name}_{part}": one for part, one in value.items()} if isinstance(value, dict) else {name: value}
        )
    return flat


def time_text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
