"""Finds the calls that a live list does not show yet, each time the browser asks for new ones.

Only a small range of the primary key is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import QuerySet

from config.snapshot import one_snapshot
from logs.browsing.names import NamedCall, named
from logs.browsing.pages import CallsPage, calls_page, load_calls
from logs.models import Call
from logs.search.filters import CallFilterSet
from logs.search.query import CallQuery, matching
from usage.rollups.query import Range

# A call is reported when it ends. Calls that started longer ago than this are not added to a live list.
REACH = timedelta(minutes=15)
# Calls get their `received_at` before they are committed; within this time a report is expected to be
# committed.
SETTLING = timedelta(minutes=1)
MOST = 50
# The most reports that a URL has room for. If more arrive, late commits among the oldest are missed.
MOST_REPORTS = 150
MOST_READ = 2_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Known:
    """The calls that the browser already has: those recorded up to `until`, and those of `reports` after it.

    A report is identified by the time it arrived, to the microsecond: its calls share one timestamp and are
    committed together.
    """

    until: datetime
    reports: tuple[datetime, ...] = ()

    @classmethod
    def read(cls, until: datetime, offsets: str) -> "Known":
        """Reads `reports` from a URL's text: offsets after `until` in microseconds, joined by commas."""
        reports = (until + int(offset) * _MICROSECOND for offset in offsets.split(",") if offset)
        return cls(until, tuple(reports))

    @property
    def offsets(self) -> str:
        """The text that `read` reads: the offsets of `reports` after `until` in microseconds."""
        return ",".join(str((at - self.until) // _MICROSECOND) for at in self.reports)


@dataclass(frozen=True)
class Tail:
    """The calls that the browser does not have yet, newest first, and `known`, what it has once it shows them.

    `has_gap` is set if calls may be missing: more arrived than are returned, or the browser last asked longer
    ago than REACH.
    """

    calls: list[NamedCall]
    known: Known
    has_gap: bool


def followed_page(filters: CallFilterSet, now: datetime) -> tuple[CallsPage, Known]:
    """Returns the page of a live list and the calls that the browser then has, both read in one database
    snapshot.
    """
    with one_snapshot():
        page = calls_page(filters)
        since = now - SETTLING
        reports = _recorded(page.query, since).values_list("received_at", flat=True).distinct()
        return page, _known(since, reports.order_by("-received_at")[: MOST_REPORTS + 1])


def tail_of(query: CallQuery, known: Known, now: datetime) -> Tail:
    """Returns the matching calls that the browser does not have yet, at most MOST of them, newest first.

    If there are none, the result has the same `known`, until its `until` is older than half of REACH.
    """
    begins = max(known.until, now - REACH)
    found = _recorded(query, begins).exclude(received_at__in=known.reports).order_by("-id")
    rows = list(found.values_list("id", "received_at")[:MOST_READ])
    if not rows and now - known.until < REACH / 2:
        return Tail([], known, has_gap=False)
    calls = named(load_calls(query.usage.team.pk, [call_id for call_id, _at in rows[:MOST]]))
    reports = [*known.reports, *(at for _id, at in rows)]
    has_gap = len(rows) > MOST or known.until < begins
    return Tail(calls, _known(max(begins, now - SETTLING), reports), has_gap)


def _recorded(query: CallQuery, since: datetime) -> QuerySet[Call]:
    # One lower bound of the ids: given two, SQLite uses the first one, which may be months ago.
    asked = query.usage.range
    recent = replace(query.usage, range=Range(max(asked.start, since - REACH), asked.end))
    return matching(replace(query, usage=recent)).filter(received_at__gt=since)


def _known(until: datetime, reports: Iterable[datetime]) -> Known:
    newest = sorted({at for at in reports if at > until}, reverse=True)
    if len(newest) > MOST_REPORTS:
        until = newest[MOST_REPORTS]
    return Known(until, tuple(newest[:MOST_REPORTS]))
