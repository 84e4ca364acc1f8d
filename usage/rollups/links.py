"""Builds links to the calls or refused reservations that an alert or a page mentions."""

from collections.abc import Mapping
from datetime import datetime

from django.http import QueryDict

from teams.models import Mode, Team
from usage.rollups.query import on_the_clock


def logs_path(
    team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int = Mode.LIVE
) -> str:
    """Returns the path of the team's page of calls (logs), filtered by a time range and other filters.

    `filters` maps the name of each filter to one value; those with "" are left out.
    """
    return f"/t/{team.slug}/logs/?{_query(team, start, end, filters, mode)}"


def refusals_path(team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int) -> str:
    """Returns the path of the team's page of refused reservations. The arguments are those of `logs_path`."""
    return f"/t/{team.slug}/refusals/?{_query(team, start, end, filters, mode)}"


def _query(team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int) -> str:
    query = QueryDict(mutable=True)
    query["from"], query["to"] = (on_the_clock(at, team.zone) for at in (start, end))
    query.update({name: value for name, value in filters.items() if value})
    if mode == Mode.TEST:
        query["mode"] = Mode.TEST.word
    return query.urlencode()
