"""New calls as they arrive: what was recorded since the last look, at the cost of one small index range."""

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

# A call is reported when it ends, so it may have begun a while ago; longer ones are found by the list.
REACH = timedelta(minutes=15)
# Calls are stamped before they are committed: so long may a report wait for others, and take itself.
SETTLING = timedelta(minutes=1)
MOST = 50
# What an address has room for; where more reports come in, the oldest are no longer waited for.
MOST_REPORTS = 150
MOST_READ = 2_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Known:
    """What the browser already has: the calls recorded before `until`, and those of `reports` after it.

    A report is identified by the time it arrived, to the microsecond: its calls share one timestamp and are
    committed together.
    """

    until: datetime
    reports: tuple[datetime, ...] = ()

    @classmethod
    def read(cls, until: datetime, offsets: str) -> "Known":
        """Reads the known reports from an address."""
        reports = (until + int(offset) * _MICROSECOND for offset in offsets.split(",") if offset)
        return cls(until, tuple(reports))

    @property
    def offsets(self) -> str:
        """The reports as an address has them: microseconds after `until`."""
        return ",".join(str((at - self.until) // _MICROSECOND) for at in self.reports)


@dataclass(frozen=True)
class Tail:
    """Calls that are not known yet, newest first, and what is known including them.

    `has_gap`: more arrived than are returned, or nobody asked for longer than REACH.
    """

    calls: list[NamedCall]
    known: Known
    has_gap: bool


def followed_page(filters: CallFilterSet, now: datetime) -> tuple[CallsPage, Known]:
    """The page of a list that follows new calls, and what it knows: read at the same moment."""
    with one_snapshot():
        page = calls_page(filters)
        since = now - SETTLING
        reports = _recorded(page.query, since).values_list("received_at", flat=True).distinct()
        return page, _known(since, reports.order_by("-received_at")[: MOST_REPORTS + 1])


def tail_of(query: CallQuery, known: Known, now: datetime) -> Tail:
    """The matching calls that are not known, at most MOST, whatever the period of the query.

    Without any, what is known stays as it is, until it is so old that REACH would soon leave something out.
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
    # One lower bound of the ids, because of two SQLite takes the first it meets, which may be months ago.
    asked = query.usage.range
    recent = replace(query.usage, range=Range(max(asked.start, since - REACH), asked.end))
    return matching(replace(query, usage=recent)).filter(received_at__gt=since)


def _known(until: datetime, reports: Iterable[datetime]) -> Known:
    newest = sorted({at for at in reports if at > until}, reverse=True)
    if len(newest) > MOST_REPORTS:
        until = newest[MOST_REPORTS]
    return Known(until, tuple(newest[:MOST_REPORTS]))
