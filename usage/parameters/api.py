"""Query parameters that several API endpoints share: team, mode, time range, members and tokens."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext as _

from teams.access import Permission, role_may
from teams.api import ApiError, Credential
from teams.credentials import tokens_with_role
from teams.models import GatewayKey, Mode, Team, User
from usage.parameters.forms import EARLIEST_YEAR, LATEST_YEAR, LONGEST, MOST_VALUES
from usage.parameters.names import ids_named, people_named, tokens_named
from usage.rollups.buckets import day_start
from usage.rollups.query import Range

_DEFAULT_DAYS = 30
# The parameters that `reader_of` and `range_of` read.
READER_PARAMETERS: Final = ("team", "mode")
RANGE_PARAMETERS: Final = ("from", "to")


def refuse_unknown(request: HttpRequest, known: Collection[str]) -> None:
    """Raises ApiError for the first query parameter that is not among `known`.

    Ignoring a misspelt filter would return figures that look right but are wrong.
    """
    for name in request.GET:
        if name not in known:
            message = _("Unknown parameter %(name)s. Known parameters: %(known)s.")
            raise _invalid(name, message % {"name": name[:64], "known": ", ".join(sorted(known))})


@dataclass(frozen=True)
class Reader:
    """Whose figures an API key may read: those of a whole team or, with `only`, of one member in it."""

    team: Team
    mode: Mode
    only: User | None


def reader_of(request: HttpRequest, credential: Credential) -> Reader:
    """Returns the team, mode and member whose figures the key may read.

    A gateway key for the whole site must name a team. A token of a member without the right to see the team
    only reads that member's own figures. Raises ApiError for a team that the key has no access to.
    """
    slug, mode = request.GET.get("team", ""), _mode(request)
    if isinstance(credential, GatewayKey):
        return Reader(_team_of(credential, slug), mode or Mode.LIVE, None)
    if slug and slug != credential.team.slug:
        raise ApiError(403, "out_of_scope", _("This token belongs to another team."), param="team")
    token = tokens_with_role().get(pk=credential.pk)
    role: str = token.role  # type: ignore[attr-defined]  # the annotation of tokens_with_role
    sees_team = role_may(role, Permission.SEE_TEAM)
    own_mode = Mode(credential.mode) if mode is None else mode
    return Reader(credential.team, own_mode, None if sees_team else credential.user)


def _team_of(key: GatewayKey, slug: str) -> Team:
    if key.team is not None:
        if slug not in {"", key.team.slug}:
            raise ApiError(403, "out_of_scope", _("This key is for another team."), param="team")
        return key.team
    team = Team.objects.alive().filter(slug=slug).first()
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
    raise _invalid("mode", _("Use live or test."))


def range_of(request: HttpRequest, reader: Reader, now: datetime) -> Range:
    """Returns the time range of the parameters `from` and `to`, by default the last 30 days. Raises ApiError."""
    end = _instant(request, "to", reader.team) or now
    start = _instant(request, "from", reader.team) or end - timedelta(days=_DEFAULT_DAYS)
    if start >= end:
        raise _invalid("to", _("`to` must be after `from`."))
    if end - start > LONGEST:
        raise _invalid("from", _("The range must be at most ten years long."))
    return Range(start, end)


def _instant(request: HttpRequest, name: str, team: Team) -> datetime | None:
    """Returns the instant (UTC) of a parameter; None if it is missing. Raises ApiError.

    It must be a time with an offset, or a date, which stands for the start of that day in the team's time zone.
    """
    text = request.GET.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(name, _("Enter a time such as 2026-11-01T00:00:00Z, or a date.")) from None
    # No call has a time outside these years, and date arithmetic could overflow there.
    if not EARLIEST_YEAR <= at.year < LATEST_YEAR:
        raise _invalid(name, _("The year is out of range."))
    if len(text) <= len("2026-11-01"):
        return day_start(at.date(), team.zone)
    if at.tzinfo is None:
        raise _invalid(name, _("Add an offset to the time, such as Z or +01:00."))
    return at.astimezone(UTC)


def _values(request: HttpRequest, name: str) -> list[str]:
    """Returns all values of a parameter that can be repeated, without duplicates.

    Commas do not separate values, because the name of a model can contain them. Raises ApiError for too many
    values.
    """
    values = list(dict.fromkeys(text[:254].replace("\x00", "") for text in request.GET.getlist(name) if text))
    if len(values) > MOST_VALUES:
        raise _invalid(name, _("Use at most %d values.") % MOST_VALUES)
    return values


def members_of(request: HttpRequest, reader: Reader) -> tuple[int, ...]:
    """Returns the user ids of the parameter `member` (email addresses or public ids). Raises ApiError.

    A member who may only see their own usage may only name themselves. For anybody else they get the same
    error, whether that person is in the team or not, so that they do not learn who is.
    """
    asked = _values(request, "member")
    if reader.only is not None:
        if {*asked} - ids_named([reader.only], asked).keys():
            raise ApiError(403, "out_of_scope", _("Your role may only read your own usage."), param="member")
        return (reader.only.pk,)
    known = people_named(reader.team, asked) if asked else {}
    if unknown := [name for name in asked if name not in known]:
        raise ApiError(404, "not_found", _("There is no member %s in this team.") % unknown[0], param="member")
    return tuple(sorted({known[name] for name in asked}))


def _tokens(request: HttpRequest, reader: Reader) -> tuple[int, ...]:
    asked = _values(request, "token")
    known = tokens_named(reader.team, asked, holder=reader.only) if asked else {}
    if unknown := [name for name in asked if name not in known]:
        raise ApiError(404, "not_found", _("There is no token %s in this team.") % unknown[0], param="token")
    return tuple(known.values())


def _invalid(param: str, message: str) -> ApiError:
    return ApiError(400, "invalid_request", message, param=param)


def time_text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
