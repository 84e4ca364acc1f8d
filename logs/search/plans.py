"""Chooses the index that is walked for a query of the logs, by how few calls each index leaves.

`docs/search.md` explains the choice and how much time it saves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from logs.search.access_paths import BY_TIME, NOWHERE, AccessPath, access_paths, by_value
from logs.search.counts import BY_OUTCOME, counts_of
from logs.search.index_scans import count_up_to
from logs.search.query import CallQuery

# If an index contains all conditions and the sort column, up to so many candidates are read and sorted.
FEW_IN_INDEX = 50_000
# With so few candidates no better index is searched for: counting another takes as long as reading these.
FEW_ENOUGH = 2_000
# Calls are counted up to this number if no rollup counts them; at most so many candidates are all read.
BOUND = 10_000
# An index that leaves conditions to check is walked in list order only if it has at most so many places.
FEW_PLACES = 4


@dataclass(frozen=True)
class Plan:
    """The index to walk, and whether it leaves so few candidates that all are read and sorted."""

    path: AccessPath
    is_few: bool = False
    # How many calls match, if choosing the index showed it; BOUND + 1 for more than BOUND.
    counted: int | None = None


def make_plan(query: CallQuery) -> Plan:
    """Returns the plan for a query: which index to walk, and how."""
    ways = access_paths(query)
    if any(not path.places for path in ways):
        return Plan(NOWHERE, is_few=True, counted=0)
    along = next((path for path in ways if path.gives(query.sort) and _is_walkable(path, query)), None)
    if along is None:
        along = BY_TIME if query.sort.by_time else by_value(query.sort.keys[0])
    if along.settles(query):
        return Plan(along)
    if not query.sort.by_time and (held := _held(query, ways)):
        return Plan(held, is_few=True)
    return _fewest(query, ways, along)


def _fewest(query: CallQuery, ways: Sequence[AccessPath], along: AccessPath) -> Plan:
    """Returns the plan for the index with the fewest candidates if all of them can be read; otherwise the plan
    to walk `along`, the index in the order of the list.
    """
    counted: int | None = None
    fewest, best = BOUND + 1, along
    # Paths that the rollups count go first: that takes a fraction of the time.
    for path in sorted([*ways, BY_TIME], key=lambda path: not path.is_counted_by_rollups(query)):
        # Counting another path is only worth it if it leaves far fewer calls than the best so far.
        candidates = _count(query, path, BOUND if fewest > BOUND else fewest // 4)
        if path.settles(query):
            counted = candidates
        if candidates < fewest and (fewest > BOUND or candidates <= fewest // 4):
            fewest, best = candidates, path
        if candidates <= FEW_ENOUGH:
            break
    return Plan(best, True, counted) if fewest <= BOUND else Plan(along, False, counted)


def _held(query: CallQuery, ways: Sequence[AccessPath]) -> AccessPath | None:
    """Returns an index that contains all conditions and the sort column, if it leaves at most FEW_IN_INDEX
    calls.
    """
    for path in ways:
        if path.settles(query) and query.sort.keys[0] in path.holds:
            return path if _count(query, path, FEW_IN_INDEX) <= FEW_IN_INDEX else None
    return None


def _is_walkable(path: AccessPath, query: CallQuery) -> bool:
    return path.settles(query) or len(path.places) <= FEW_PLACES


def _count(query: CallQuery, path: AccessPath, bound: int) -> int:
    """Returns the number of the path's candidates, counted only up to `bound` + 1; or an upper bound of it that
    is not above `bound`.

    For some paths the rollups return the number, which then includes deleted calls.
    """
    if path.outcomes:
        most = _count_in_rollups(query, path)
        if most <= bound or path.is_counted_by_rollups(query):
            return min(most, bound + 1)
    return count_up_to(path.candidates(query), path.order, bound + 1)


def _count_in_rollups(query: CallQuery, path: AccessPath) -> int:
    """Returns the number of calls that meet those conditions of the path that the rollups can count by."""
    asked, usage = path.covered(query), query.usage
    usage = replace(
        usage,
        members=usage.members if "member_id__in" in asked else (),
        models=usage.models if "model__in" in asked else (),
        tokens=usage.tokens if "token_id__in" in asked else (),
    )
    outcomes = query.value("outcome__in") if "outcome__in" in asked else path.outcomes
    counted = counts_of(usage, None, [BY_OUTCOME[one] for one in outcomes if one in path.outcomes])
    return sum(counted.get(None, []))
