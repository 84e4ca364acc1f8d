"""Finds one page of calls before or after a position, in bounded time, however many calls there are and however
few of them match.

If some index leaves few candidates, all of them are read. Otherwise the list is walked in its order, a bounded
number of calls at a time; a page that found too few calls says how far the search came.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from logs.search.access_paths import AccessPath
from logs.search.index_scans import keys_and_sums, keys_beside, keys_of, keys_of_all, look_through
from logs.search.plans import BOUND, Plan
from logs.search.query import CallQuery, Key, Position, Stretch

PAGE = 50
# How many calls are read for one page, in growing steps; the first step mostly finds enough.
STEPS = (1_500, 3_000, 7_500)
# The same for the first page, which nobody wants to wait for. Its steps also give the total.
FIRST_STEPS = (1_500, 2_500)
# The columns that a total sums up besides counting calls.
SUMMED = ("cost_nanos", "has_failed")


@dataclass(frozen=True)
class Total:
    """The number of calls, exact or a lower bound, with their cost (nano-dollars) and failures if these are
    known too.
    """

    calls: int
    is_exact: bool = True
    cost_nanos: int | None = None
    failed: int | None = None


@dataclass(frozen=True)
class Found:
    """A page of the list: the sort keys of its calls, and the positions of the pages before and after it (None:
    no page).
    """

    keys: list[Key] = field(default_factory=list)
    before: Position | None = None
    after: Position | None = None
    # Set if the search stopped at its bound: the key of the last call read. `after` (or `before`) goes on from
    # it.
    stopped_at: Key | None = None
    # The totals over all pages, if the search for this page computed them.
    total: Total | None = None

    @property
    def ids(self) -> list[UUID]:
        return [key[-1] for key in self.keys]


def find_page(query: CallQuery, plan: Plan, place: Position | None = None, size: int = PAGE) -> Found:
    """Returns the page of calls at a position in the list, or the first page if `place` is None."""
    path, names, stretch = plan.path, query.sort.keys, _stretch(query, place)
    if plan.is_few:
        scans, down = path.matches(query, stretch), stretch.descends
        keys = keys_of_all(scans, names, descends=down, limit=size + 1, index=path.hint)
    elif path.settles(query):
        keys = keys_of(path.candidates(query, stretch), names, descends=stretch.descends, limit=size + 1)
    else:
        return _walk(query, path, place, size, STEPS)
    return _page(keys, size, place)


def find_first_page(query: CallQuery, plan: Plan, size: int = PAGE) -> Found:
    """Returns the first page, with the totals over all pages if the same SQL statement can return them too."""
    path, names, down = plan.path, query.sort.keys, query.sort.descends
    if not (plan.is_few or path.settles(query)):
        return _walk(query, path, None, size, FIRST_STEPS)
    if query.counted_by_rollups:  # the total is read from the rollups instead
        return find_page(query, plan, size=size)
    if plan.is_few:
        scans = path.matches(query)
        keys, sums = keys_and_sums(scans, names, SUMMED, descends=down, limit=size + 1, index=path.hint)
        return replace(_page(keys, size), total=Total(sums[0], True, *sums[1:]))
    if len(path.places) > 1:  # to get the total, each place would be read to the end
        return find_page(query, plan, size=size)
    scans = path.candidates(query).first(names, down, max(BOUND, size) + 1)
    summed = SUMMED if path.holds >= set(SUMMED) else ()
    keys, sums = keys_and_sums(scans, names, summed, descends=down, limit=size + 1)
    return replace(_page(keys, size), total=bounded(*sums))


def bounded(calls: int, *sums: int) -> Total:
    """Returns the total of calls that were counted only up to BOUND + 1, with their sums; beyond BOUND, a lower
    bound.
    """
    return Total(calls, True, *sums) if calls <= BOUND else Total(BOUND, is_exact=False)


def find_neighbours(query: CallQuery, plan: Plan, key: Key) -> tuple[UUID | None, UUID | None]:
    """Returns the ids of the calls right before and right after a sort key in the list; None if there is none."""
    if plan.is_few or not plan.path.settles(query):
        before, after = (find_page(query, plan, Position(key, back), size=1).ids for back in (True, False))
        return next(iter(before), None), next(iter(after), None)
    above, below = (Stretch(query.sort, descends, key) for descends in (False, True))
    found = keys_beside(plan.path.candidates(query, above), plan.path.candidates(query, below), query.sort.keys)
    higher = min((one for one in found if one > key), default=(None,))[-1]
    lower = max((one for one in found if one < key), default=(None,))[-1]
    return (higher, lower) if query.sort.descends else (lower, higher)


def _stretch(query: CallQuery, place: Position | None) -> Stretch:
    back = place is not None and place.back
    return Stretch(query.sort, query.sort.descends is not back, place.key if place else None)


def _walk(query: CallQuery, path: AccessPath, place: Position | None, size: int, steps: Sequence[int]) -> Found:
    """Reads a page along an index that leaves conditions to check: calls are read in steps, up to a bound."""
    keys: list[Key] = []
    met, has_all, stretch = 0, False, _stretch(query, place)
    for step in steps:
        look = look_through(
            path.looked_at(query, stretch, step),
            query.sort.keys,
            path.left_to_check(query),
            descends=stretch.descends,
            limit=size + 1 - len(keys),
            most=step,
            index=path.hint,
        )
        keys += look.keys
        met += look.met
        stretch = replace(stretch, after=look.edge)
        has_all = look.looked < step
        if has_all or len(keys) > size:
            break
    stopped = None if has_all or len(keys) > size else stretch.after
    # From a position on, only a part of the list was read, so there is no total.
    return replace(_page(keys, size, place, stopped), total=None if place else Total(met, is_exact=has_all))


def _page(keys: list[Key], size: int, place: Position | None = None, stopped: Key | None = None) -> Found:
    """Returns the page of these keys. They contain one more than `size` if there are more calls; it is removed."""
    back = place is not None and place.back
    more = len(keys) > size
    keys = keys[:size]
    if back:
        keys.reverse()
    first = keys[0] if keys else place.key if place else None
    last = keys[-1] if keys else place.key if place else None
    further = Position(stopped, back) if stopped and not more else None
    if back:
        before = Position(first, back=True) if more and first else further
        return Found(keys, before=before, after=Position(last) if last else None, stopped_at=stopped)
    after = Position(last) if more and last else further
    return Found(
        keys, Position(first, back=True) if place and first else None, after, None if more else stopped
    )
