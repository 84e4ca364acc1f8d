"""How many calls a question finds, what they cost, how many failed: exactly, or as far as was counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from logs.counts import counts_of
from logs.paths import Path, paths
from logs.query import CallQuery, Stretch
from logs.search import BOUND, SUMMED, Found, Plan
from logs.unions import count_up_to, keys_of, sums_of
from usage.models import Outcome

# How many calls are looked through to count, where no index knows.
LOOKED_THROUGH = 5_000
# The index of failed calls has their costs, so that many can be summed.
MOST_SUMMED = 50_000
# By the number of an outcome.
_COUNTERS = ("succeeded", "client_errors", "throttled", "server_errors")


@dataclass(frozen=True)
class Total:
    """The number of calls, exact or the least that it can be; failed and cost where they are known too."""

    calls: int
    is_exact: bool = True
    failed: int | None = None
    cost_nanos: int | None = None


def count_calls(query: CallQuery, plan: Plan, first: Found | None = None) -> Total:
    """The total of all pages. `first` is the first page, if that is at hand: it has searched already."""
    if query.counted_by_rollups:
        return _from_rollups(query)
    if plan.is_few:
        return _of_sums(first.sums) if first and first.sums else _exactly(query, plan.path)
    if plan.counted is not None:
        return Total(min(plan.counted, BOUND), is_exact=plan.counted <= BOUND)
    if first is not None and (first.stopped_at is not None or _has_seen_enough(first)):
        return Total(len(first.keys), is_exact=False)
    total = _at_least(query, plan.path)
    return total if total.is_exact or first is None else replace(total, calls=max(total.calls, len(first.keys)))


def _has_seen_enough(first: Found) -> bool:
    """Whether a full page took as long a search as counting would: that would find no more."""
    return first.after is not None and first.looked_through >= LOOKED_THROUGH


def _exactly(query: CallQuery, path: Path) -> Total:
    return _of_sums(sums_of(path.matches(query), SUMMED, path.index))


def _of_sums(sums: Sequence[int]) -> Total:
    calls, cost, failed = sums
    return Total(calls, failed=failed, cost_nanos=cost)


def _at_least(query: CallQuery, path: Path) -> Total:
    """Those among the first calls of the list; as many are looked through as for a page."""
    names, descends = query.sort.keys, query.sort.descends
    edge = keys_of(path.candidates(query), names, descends=descends, limit=1, offset=LOOKED_THROUGH - 1)
    if not edge:
        return _exactly(query, path)
    part = path.matches(query, Stretch(query.sort, descends, until=edge[0]))
    return Total(count_up_to(part, names, LOOKED_THROUGH), is_exact=False)


def _from_rollups(query: CallQuery) -> Total:
    counted = counts_of(query.usage, None, [*_COUNTERS, "unpriced", "cost_nanos"])
    *by_outcome, unpriced, cost = counted.get(None, [0] * (len(_COUNTERS) + 2))
    if query.unpriced:  # of these none failed, and none cost anything
        return Total(unpriced, failed=0, cost_nanos=0)
    asked = query.outcome or tuple(range(len(_COUNTERS)))
    calls = sum(by_outcome[outcome] for outcome in asked)
    failed = calls - (by_outcome[Outcome.SUCCEEDED] if Outcome.SUCCEEDED in asked else 0)
    if query.outcome:
        return Total(calls, failed=failed, cost_nanos=_cost(query, cost, sum(by_outcome[1:])))
    return Total(calls - (unpriced if query.unpriced is False else 0), failed=failed, cost_nanos=cost)


def _cost(query: CallQuery, whole: int, failed_calls: int) -> int | None:
    """The rollups know no cost by outcome; that of failed calls is summed, unless there are very many."""
    if failed_calls > MOST_SUMMED:
        return None
    has_succeeded = Outcome.SUCCEEDED in query.outcome
    kinds = [
        kind for kind in Outcome if kind != Outcome.SUCCEEDED and (kind in query.outcome) is not has_succeeded
    ]
    if not kinds:
        return whole if has_succeeded else 0
    failed = replace(query, outcome=tuple(kind.value for kind in kinds))
    cost = _exactly(failed, paths(failed)[0]).cost_nanos or 0
    return whole - cost if has_succeeded else cost
