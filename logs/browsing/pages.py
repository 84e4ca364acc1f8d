"""Collects the data of the logs' pages: calls with the names of members and tokens, totals, and cursors of the
neighbouring pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.utils.translation import gettext as _

from logs.browsing.names import NamedCall, named
from logs.models import Call
from logs.recording.kept_calls import kept_within
from logs.search.cursors import write_cursor
from logs.search.filters import CallFilterSet
from logs.search.paging import Total, find_first_page, find_neighbours, find_page
from logs.search.plans import make_plan
from logs.search.query import CallQuery, Sort
from logs.search.totals import count_calls
from usage.rollups.bulk import fetch_by_keys, instances_of

# The columns that the list needs; errors, tags and the others are only read for the page of one call.
_SHOWN = (
    "team_id", "started_at", "member_id", "token_id", "model", "status", "outcome", "stream", "latency_ms",
    "input_tokens", "output_tokens", "cost_nanos", "priced_by", "error_type",
)  # fmt: skip


@dataclass(frozen=True)
class CallsPage:
    """A page of the list of calls. The cursors `newer` and `older` are "" if there is no further page."""

    query: CallQuery
    calls: list[NamedCall]
    total: Total
    newer: str
    older: str
    # Set if the search stopped at its bound, in a list sorted by time: the start of the last call it read.
    searched_to: datetime | None
    has_stopped: bool
    slowest_ms: int
    # Set if the period begins before this time: older calls were deleted.
    kept_since: datetime | None

    @property
    def request_id(self) -> str:
        """The request ID that is searched for; "" for none."""
        return str(self.query.value("request_id", ""))

    @property
    def before_label(self) -> str:
        return _("Newer") if self.query.sort is Sort.NEWEST else _("Back")

    @property
    def after_label(self) -> str:
        return _("Older") if self.query.sort is Sort.NEWEST else _("Next")

    @property
    def counts_kept_only(self) -> bool:
        """Whether the total leaves out deleted calls, because it is not known how many of them matched."""
        return self.kept_since is not None and not self.query.counted_by_rollups

    @property
    def may_be_deleted(self) -> bool:
        """Whether the list is empty because matching calls were or may have been deleted; always False if a
        request ID is searched for.
        """
        if self.calls or self.has_stopped or self.kept_since is None or self.request_id:
            return False
        return self.total.calls > 0 or self.counts_kept_only


def calls_page(filters: CallFilterSet) -> CallsPage:
    """Returns the page of the list for filters whose form is valid."""
    query, form = filters.qs, filters.form
    plan = make_plan(query)
    found = find_page(query, plan, form.place) if form.place else find_first_page(query, plan)
    calls = named(load_calls(query.usage.team.pk, found.ids))
    stopped = found.stopped_at
    return CallsPage(
        query=query,
        calls=calls,
        total=count_calls(query, plan, None if form.place else found),
        newer=write_cursor(found.before, form.fingerprint),
        older=write_cursor(found.after, form.fingerprint),
        searched_to=time_of(stopped[-1]) if stopped and query.sort.by_time else None,
        has_stopped=stopped is not None,
        slowest_ms=max((row.call.latency_ms or 0 for row in calls), default=0),
        kept_since=kept_within(query.usage),
    )


def load_calls(team_id: int, ids: Sequence[UUID]) -> list[Call]:
    """Returns the calls with these ids in this order, with the columns that the list needs. Deleted calls are
    left out.
    """
    wanted = [(call_id,) for call_id in ids]
    rows = fetch_by_keys(Call, fixed={"team_id": team_id}, keys=["id"], wanted=wanted, columns=_SHOWN)
    by_id = {call.id: call for call in instances_of(Call, ("id", *_SHOWN), rows)}
    return [by_id[call_id] for call_id in ids if call_id in by_id]


def time_of(call_id: UUID) -> datetime:
    """Returns when the call with this id started, to the millisecond; ids begin with the time."""
    return datetime.fromtimestamp((call_id.int >> 80) / 1000, UTC)


def neighbours(query: CallQuery, call: Call) -> tuple[UUID | None, UUID | None]:
    """Returns the ids of the calls right before and right after this one in the list; None if there is none."""
    return find_neighbours(query, make_plan(query), key_of(call, query.sort))


def key_of(call: Call, sort: Sort) -> tuple[object, ...]:
    """Returns the sort key of a call in a list of that order; see `Sort.keys`."""
    values = {
        Sort.LATENCY: -1 if call.latency_ms is None else call.latency_ms,
        Sort.TOKENS: call.input_tokens + call.output_tokens,
        Sort.COST: call.cost_nanos,
    }
    return (call.id,) if sort.by_time else (values[sort], call.id)
