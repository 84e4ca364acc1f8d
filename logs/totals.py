"""How many calls a question finds, what they cost, how many failed: exactly, or as far as was counted."""

from dataclasses import dataclass, replace

from logs.paths import Path, paths
from logs.query import CallQuery, Stretch
from logs.search import BOUND, Plan
from logs.unions import count_up_to, keys_of, sums_of
from usage.cells import cells
from usage.figures import Figures, total
from usage.models import Outcome

# How many calls are looked through to count, where no index knows.
LOOKED_THROUGH = 5_000
# The index of failed calls has their costs, so that many can be summed.
MOST_SUMMED = 50_000
_COUNTER = {
    Outcome.SUCCEEDED: "succeeded",
    Outcome.CLIENT_ERROR: "client_errors",
    Outcome.THROTTLED: "throttled",
    Outcome.SERVER_ERROR: "server_errors",
}


@dataclass(frozen=True)
class Total:
    """The number of calls, exact or the least that it can be; failed and cost where they are known too."""

    calls: int
    is_exact: bool = True
    failed: int | None = None
    cost_nanos: int | None = None


def count_calls(query: CallQuery, plan: Plan) -> Total:
    """The total of all pages."""
    if query.counted_by_rollups:
        return _from_rollups(query)
    if plan.is_few:
        return _exactly(query, plan.path)
    if plan.counted is not None:
        return Total(min(plan.counted, BOUND), is_exact=plan.counted <= BOUND)
    return _at_least(query, plan.path)


def _exactly(query: CallQuery, path: Path) -> Total:
    calls, cost, failed = sums_of(path.matches(query), ["cost_nanos", "has_failed"], path.index)
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
    figures = total(cells(query.usage, [], [query.usage.range])[0].values())
    if not query.outcome:
        return Total(figures.calls, failed=figures.failed, cost_nanos=figures.cost_nanos)
    calls = sum(getattr(figures, _COUNTER[Outcome(outcome)]) for outcome in query.outcome)
    failed = calls - (figures.succeeded if Outcome.SUCCEEDED in query.outcome else 0)
    return Total(calls, failed=failed, cost_nanos=_cost(query, figures))


def _cost(query: CallQuery, figures: Figures) -> int | None:
    """The rollups know no cost by outcome; that of failed calls is summed, unless there are very many."""
    if figures.failed > MOST_SUMMED:
        return None
    has_succeeded = Outcome.SUCCEEDED in query.outcome
    kinds = [
        kind for kind in Outcome if kind != Outcome.SUCCEEDED and (kind in query.outcome) is not has_succeeded
    ]
    if not kinds:
        return figures.cost_nanos if has_succeeded else 0
    failed = replace(query, outcome=tuple(kind.value for kind in kinds))
    cost = _exactly(failed, paths(failed)[0]).cost_nanos or 0
    return figures.cost_nanos - cost if has_succeeded else cost
