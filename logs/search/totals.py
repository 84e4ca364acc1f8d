"""Computes the number, cost and failures of all calls that match a query: exact, or the number as a lower
bound.
"""

from logs.recording.kept_calls import kept_within
from logs.search.access_paths import AccessPath, access_paths
from logs.search.counts import BY_OUTCOME, counts_of
from logs.search.index_scans import count_up_to, look_through, sums_of
from logs.search.paging import FIRST_STEPS, SUMMED, Found, Total, bounded
from logs.search.plans import BOUND, Plan
from logs.search.query import CallQuery, Stretch
from usage.rollups.models import Outcome

# Up to so many calls the costs are added up call by call.
FEW = 4_000
# The index of failed calls contains their costs, so that more of them can be summed.
MOST_SUMMED = 50_000


def count_calls(query: CallQuery, plan: Plan, first: Found | None = None) -> Total:
    """Returns the totals over all pages. `first` is the first page, if it was read already."""
    if query.counted_by_rollups:
        return _from_rollups(query)
    if plan.counted is not None and not plan.is_few:
        return bounded(plan.counted)
    total = _bounded(query, plan) if first is None or first.total is None else first.total
    if total.is_exact and total.failed is None and total.calls <= FEW:
        return _exactly(query, plan.path)
    return total


def _bounded(query: CallQuery, plan: Plan) -> Total:
    path = plan.path
    if plan.is_few:
        return _exactly(query, path)
    if path.settles(query):
        return bounded(count_up_to(path.candidates(query), path.order, BOUND + 1))
    look = look_through(
        path.looked_at(query, Stretch(query.sort, query.sort.descends), FIRST_STEPS[0]),
        query.sort.keys,
        path.left_to_check(query),
        descends=query.sort.descends,
        limit=0,
        most=FIRST_STEPS[0],
        index=path.hint,
    )
    return Total(look.met, is_exact=look.looked < FIRST_STEPS[0])


def _exactly(query: CallQuery, path: AccessPath) -> Total:
    calls, cost, failed = sums_of(path.matches(query), SUMMED, path.hint)
    return Total(calls, cost_nanos=cost, failed=failed)


def _from_rollups(query: CallQuery) -> Total:
    counted = counts_of(query.usage, None, [*BY_OUTCOME, "unpriced", "cost_nanos"])
    *by_outcome, unpriced, cost = counted.get(None, [0] * (len(BY_OUTCOME) + 2))
    outcomes = query.value("outcome__in", ())
    unpriced_only = query.value("unpriced")
    if unpriced_only:  # only succeeded calls are unpriced, and they cost nothing
        return Total(unpriced, failed=0, cost_nanos=0)
    asked = outcomes or tuple(range(len(BY_OUTCOME)))
    calls = sum(by_outcome[outcome] for outcome in asked)
    failed = calls - (by_outcome[Outcome.SUCCEEDED] if Outcome.SUCCEEDED in asked else 0)
    if outcomes:
        return Total(calls, failed=failed, cost_nanos=_cost(query, cost, sum(by_outcome[1:])))
    return Total(calls - (unpriced if unpriced_only is False else 0), failed=failed, cost_nanos=cost)


def _cost(query: CallQuery, whole: int, failed_calls: int) -> int | None:
    """Returns the cost of the calls with the requested outcomes; None if it is not computed.

    The rollups have no cost by outcome (`whole` is the cost of all outcomes), so that the costs of failed calls
    are added up one by one. That is not done if there are more than MOST_SUMMED, or if some may have been
    deleted.
    """
    if failed_calls > MOST_SUMMED:
        return None
    outcomes = query.value("outcome__in")
    has_succeeded = Outcome.SUCCEEDED in outcomes
    if not failed_calls:
        return whole if has_succeeded else 0
    kinds = [kind for kind in Outcome if kind != Outcome.SUCCEEDED and (kind in outcomes) is not has_succeeded]
    if not kinds:
        return whole if has_succeeded else 0
    if kept_within(query.usage) is not None:
        return None
    failed = query.with_value("outcome__in", tuple(kind.value for kind in kinds))
    cost = _exactly(failed, access_paths(failed)[0]).cost_nanos or 0
    return whole - cost if has_succeeded else cost
