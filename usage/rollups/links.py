"""Addresses of what an alert or a notice is about: calls, or refusals, which are none."""

from collections.abc import Mapping
from datetime import datetime

from django.http import QueryDict

from teams.models import Mode, Team
from usage.rollups.query import on_the_clock


def logs_path(
    team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int = Mode.LIVE
) -> str:
    """The logs of a range of time under filters of one value each."""
    return f"/t/{team.slug}/logs/?{_query(team, start, end, filters, mode)}"


def refusals_path(team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int) -> str:
    """What was refused in a range of time, likewise."""
    return f"/t/{team.slug}/refusals/?{_query(team, start, end, filters, mode)}"


def _query(team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int) -> str:
    query = QueryDict(mutable=True)
    query["from"], query["to"] = (on_the_clock(at, team.zone) for at in (start, end))
    query.update({name: value for name, value in filters.items() if value})
    if mode == Mode.TEST:
        query["mode"] = Mode.TEST.word
    return query.urlencode()
