"""Reads counts of calls from the usage statistics, without percentiles, for the lists and menus of the logs."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from usage.rollups.query import Dimension, UsageQuery
from usage.rollups.reader import cells
from usage.rollups.statements import Depth
from usage.statistics.preparation import prepared

# The counter of each outcome, in the order of `Outcome`.
BY_OUTCOME = ("succeeded", "client_errors", "throttled", "server_errors")

Counts = dict[Any, list[int]]


def counts_of(query: UsageQuery, by: Dimension | None, counters: Sequence[str] = ("calls",)) -> Counts:
    """Returns sums over the query's range by member, model or token: the number of calls, or other `counters`.

    The keys are database ids or model names. If `by` is None, the only key is None, with the total.
    """
    depth = Depth(frozenset(counters))
    (known,) = prepared([query], timezone.now())
    (found,) = cells(known, [by] if by else [], [query.range], depths=[depth])
    return {
        key[0] if by else None: [getattr(figures, name) for name in counters] for key, figures in found.items()
    }
