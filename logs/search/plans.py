"""Chooses the index for a query of the logs by how few calls each one leaves.

`docs/search.md` explains it and how much time it saves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from logs.search.access_paths import BY_TIME, NOWHERE, AccessPath, access_paths, by_value
from logs.search.counts import BY_OUTCOME, counts_of
from logs.search.index_scans import count_up_to
from logs.search.query import CallQuery

# So many candidates are taken all at once, where the index has all that is asked and sorted by.
FEW_IN_INDEX = 50_000
# At so few there is no need to look for a better index: to count another one takes as long as these.
FEW_ENOUGH = 2_000
# As far as calls are counted that no rollup knows; not more candidates than these are taken all at once.
BOUND = 10_000
# More places of an index than this are not walked with conditions left to check.
FEW_PLACES = 4


@dataclass(frozen=True)
class Plan:
    """The index to walk, and whether its candidates are so few that all are read."""

    path: AccessPath
    is_few: bool = False
    # How many calls match, where that was found on the way; BOUND + 1 for more than BOUND.
    counted: int | None = None


def make_plan(query: CallQuery) -> Plan:
    """Chooses the index for a question."""
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
    """The index that leaves the fewest calls, if these can all be read; otherwise the one in the order of the
    list.
    """
    counted: int | None = None
    fewest, best = BOUND + 1, along
    # First what the rollups count, in a fraction of the time.
    for path in sorted([*ways, BY_TIME], key=lambda path: not path.is_counted_by_rollups(query)):
        # To count on is only worth it for far fewer than are known already.
        candidates = _count(query, path, BOUND if fewest > BOUND else fewest // 4)
        if path.settles(query):
            counted = candidates
        if candidates < fewest and (fewest > BOUND or candidates <= fewest // 4):
            fewest, best = candidates, path
        if candidates <= FEW_ENOUGH:
            break
    return Plan(best, True, counted) if fewest <= BOUND else Plan(along, False, counted)


def _held(query: CallQuery, ways: Sequence[AccessPath]) -> AccessPath | None:
    """An index that contains the conditions and the order of the list, with not too many calls."""
    for path in ways:
        if path.settles(query) and query.sort.keys[0] in path.holds:
            return path if _count(query, path, FEW_IN_INDEX) <= FEW_IN_INDEX else None
    return None


def _is_walkable(path: AccessPath, query: CallQuery) -> bool:
    return path.settles(query) or len(path.places) <= FEW_PLACES


def _count(query: CallQuery, path: AccessPath, bound: int) -> int:
    """The number of calls that the index leaves, counted only up to `bound` + 1; or an upper bound, if that is
    lower.

    The rollups have it for some paths, including calls that were deleted.
    """
    if path.outcomes:
        most = _count_in_rollups(query, path)
        if most <= bound or path.is_counted_by_rollups(query):
            return min(most, bound + 1)
    return count_up_to(path.candidates(query), path.order, bound + 1)


def _count_in_rollups(query: CallQuery, path: AccessPath) -> int:
    """The calls that meet those conditions of the path that the rollups count by."""
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
