"""Builds links to the calls or refused reservations that an alert or a page mentions."""

from collections.abc import Mapping
from datetime import datetime

from django.http import QueryDict

from teams.models import Mode, Team
from usage.rollups.query import on_the_clock


def logs_path(
    team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int = Mode.LIVE
) -> str:
    """Returns the path of the team's page of calls (logs), filtered by a time range and by one value for each
    filter.
    """
    return f"/t/{team.slug}/logs/?{_query(team, start, end, filters, mode)}"


def refusals_path(team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int) -> str:
    """Returns the path of the team's page of refused reservations, filtered by a time range and one value per
    filter.
    """
    return f"/t/{team.slug}/refusals/?{_query(team, start, end, filters, mode)}"


def _query(team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int) -> str:
    query = QueryDict(mutable=True)
    query["from"], query["to"] = (on_the_clock(at, team.zone) for at in (start, end))
    query.update({name: value for name, value in filters.items() if value})
    if mode == Mode.TEST:
        query["mode"] = Mode.TEST.word
    return query.urlencode()
