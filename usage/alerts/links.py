"""Addresses of the calls that an alert or a notice is about."""

from collections.abc import Mapping
from datetime import datetime

from django.http import QueryDict

from teams.models import Mode, Team


def logs_path(
    team: Team, start: datetime, end: datetime, filters: Mapping[str, str], mode: int = Mode.LIVE
) -> str:
    """The logs of a range of time, on the team's clock to the second, under filters of one value each."""
    query = QueryDict(mutable=True)
    query["from"], query["to"] = (at.astimezone(team.zone).strftime("%Y-%m-%dT%H:%M:%S") for at in (start, end))
    query.update({name: value for name, value in filters.items() if value})
    if mode == Mode.TEST:
        query["mode"] = Mode.TEST.word
    return f"/t/{team.slug}/logs/?{query.urlencode()}"
