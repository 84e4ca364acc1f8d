"""Counts what a usage query covers, without percentiles, for the lists and menus of the logs."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from usage.rollups.query import Dimension, UsageQuery
from usage.rollups.reader import cells
from usage.rollups.statements import Depth
from usage.statistics.preparation import prepared

# The counters of the outcomes, by their numbers.
BY_OUTCOME = ("succeeded", "client_errors", "throttled", "server_errors")

Counts = dict[Any, list[int]]


def counts_of(query: UsageQuery, by: Dimension | None, counters: Sequence[str] = ("calls",)) -> Counts:
    """Sums of some COUNTERS over the range, by member, model or token; without `by`, the total under the key
    None.
    """
    depth = Depth(frozenset(counters))
    (known,) = prepared([query], timezone.now())
    (found,) = cells(known, [by] if by else [], [query.range], depths=[depth])
    return {
        key[0] if by else None: [getattr(figures, name) for name in counters] for key, figures in found.items()
    }
