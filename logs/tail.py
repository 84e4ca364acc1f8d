"""Calls as they come in: what was recorded since one last looked, at the price of one small range of a key."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from logs.pages import load_calls
from logs.people import NamedCall, named
from logs.query import CallQuery, matching
from usage.query import Range

# A call is reported when it ends, so it may have begun a while ago; longer ones are found by the list.
REACH = timedelta(minutes=15)
# Calls are stamped before they are committed; the last moments are left for next time.
SETTLING = timedelta(seconds=2)
MOST = 50


@dataclass(frozen=True)
class Tail:
    """Calls recorded in a stretch of time, newest first, and where the next stretch begins.

    `has_gap`: more came in than are given, or nobody asked for longer than REACH.
    """

    calls: list[NamedCall]
    until: datetime
    has_gap: bool


def tail_of(query: CallQuery, since: datetime, now: datetime) -> Tail:
    """The matching calls recorded after `since`, at most MOST, whatever the period of the query."""
    until = now - SETTLING
    begins = max(since, until - REACH)
    # One lower bound of the ids, because of two SQLite takes the first it meets, which may be months ago.
    asked = query.usage.range
    recent = replace(query.usage, range=Range(max(asked.start, begins - REACH), asked.end))
    found = matching(replace(query, usage=recent)).filter(received_at__gt=begins, received_at__lte=until)
    ids = list(found.order_by("-id").values_list("id", flat=True)[: MOST + 1])
    calls = named(load_calls(query.usage.team.pk, ids[:MOST]))
    return Tail(calls, max(begins, until), has_gap=len(ids) > MOST or since < begins)
