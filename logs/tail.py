"""Calls as they come in: what was recorded since one last looked, at the price of one small range of a key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from logs.ids import first_id
from logs.pages import load_calls
from logs.people import NamedCall, named
from logs.query import CallQuery, matching

# A call is reported when it ends, so it may have begun a while ago; longer ones are found by the list.
REACH = timedelta(minutes=15)
# Calls are stamped before they are committed; the last moments are left for next time.
SETTLING = timedelta(seconds=2)
MOST = 50


@dataclass(frozen=True)
class Tail:
    """Calls recorded in a stretch of time, newest first, and where the next stretch begins."""

    calls: list[NamedCall]
    until: datetime


def tail_of(query: CallQuery, since: datetime, now: datetime) -> Tail:
    """The matching calls recorded after `since`, at most MOST, whatever the period of the query."""
    until = now - SETTLING
    since = max(since, until - REACH)
    ids = (
        matching(query)
        .filter(id__gte=first_id(since - REACH), received_at__gt=since, received_at__lte=until)
        .order_by("-id")
        .values_list("id", flat=True)[:MOST]
    )
    return Tail(named(load_calls(query.usage.team.pk, list(ids))), max(since, until))
