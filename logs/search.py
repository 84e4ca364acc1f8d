"""Finding calls: one page of them, newer or older than a place, however few match among however many.

When some index leaves few candidates, all of them are taken. Otherwise the list is walked in its order,
a bounded number of calls at a time, and a page says how far it looked when it found too few.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from logs.counts import counts_of
from logs.paths import BY_TIME, NOWHERE, Path, by_value, paths
from logs.query import CallQuery, Key, Stretch
from logs.unions import count_up_to, keys_and_sums, keys_beside, keys_of, keys_of_all

PAGE = 50
# So many candidates are taken all at once.
FEW = 4_000
# So many, where the index has all that is asked and sorted by.
FEW_IN_INDEX = 50_000
# At so few there is no need to look for a better index.
VERY_FEW = 500
# As far as totals are counted that no rollup knows.
BOUND = 10_000
# How many calls are looked through for one page, in growing steps: the first mostly finds enough.
STEPS = (1_000, 4_000, 7_000)
# What a total tells beside the number of calls.
SUMMED = ("cost_nanos", "has_failed")
# More places of an index than this are not walked with conditions left to check.
FEW_PLACES = 4


@dataclass(frozen=True)
class Place:
    """A place in the list: the key of a call there, and whether what is newer (or higher) is wanted."""

    key: Key
    back: bool = False


@dataclass(frozen=True)
class Plan:
    """The index to walk, and whether its candidates are so few that all are taken."""

    path: Path
    is_few: bool = False
    # How many calls match, where that was found on the way; BOUND + 1 for more than BOUND.
    counted: int | None = None


@dataclass(frozen=True)
class Found:
    """A page: ids in the order of the list, and what lies around it."""

    keys: list[Key] = field(default_factory=list)
    before: Place | None = None
    after: Place | None = None
    # Where the search stopped for today, with more calls to look through; `after` goes on from there.
    stopped_at: Key | None = None
    # How many calls were looked through where conditions were left to check.
    looked_through: int = 0
    # Of all pages together, where that was found on the way: calls, and the sums of SUMMED.
    sums: Sequence[int] | None = None

    @property
    def ids(self) -> list[UUID]:
        return [key[-1] for key in self.keys]


def make_plan(query: CallQuery) -> Plan:
    """Chooses the index for a question."""
    ways = paths(query)
    if any(not path.places for path in ways):
        return Plan(NOWHERE, is_few=True, counted=0)
    along = next((path for path in ways if path.gives(query.sort) and _is_walkable(path, query)), None)
    if along is None:
        along = BY_TIME if query.sort.by_time else by_value(query.sort.keys[0])
    if along.settles(query) and (query.counted_by_rollups or along is BY_TIME):
        return Plan(along)
    if not query.sort.by_time and (held := _held(query, ways)):
        return Plan(held, is_few=True)
    counted: int | None = None
    fewest, best = BOUND + 1, along
    for path in [*ways, BY_TIME]:
        if path.settles(query):
            counted = candidates = count_up_to(path.candidates(query), path.order, BOUND + 1)
        elif path is BY_TIME:
            candidates = _calls_in_time(query)
        else:
            candidates = count_up_to(path.candidates(query), path.order, BOUND + 1)
        if candidates < fewest:
            fewest, best = candidates, path
        if candidates <= VERY_FEW or (path is along and counted is not None):
            break
    # A complete answer is worth some milliseconds more than one that stops early.
    few = FEW if along.settles(query) else BOUND
    return Plan(best, True, counted) if fewest <= few else Plan(along, False, counted)


def _calls_in_time(query: CallQuery) -> int:
    """All calls of the team in the period. The rollups know them, also those that are no longer kept."""
    everything = replace(query.usage, members=(), models=(), tokens=())
    return counts_of(everything, None).get(None, [0])[0]


def _held(query: CallQuery, ways: Sequence[Path]) -> Path | None:
    """An index that has the conditions and the order of the list in it, with not too many calls."""
    for path in ways:
        if path.settles(query) and query.sort.keys[0] in path.holds:
            is_few = count_up_to(path.candidates(query), path.order, FEW_IN_INDEX + 1) <= FEW_IN_INDEX
            return path if is_few else None
    return None


def _is_walkable(path: Path, query: CallQuery) -> bool:
    return path.settles(query) or len(path.places) <= FEW_PLACES


def find_page(query: CallQuery, plan: Plan, place: Place | None = None, size: int = PAGE) -> Found:
    """The calls next to a place in the list, or the first ones."""
    back = place is not None and place.back
    stretch = Stretch(query.sort, query.sort.descends is not back, place.key if place else None)
    if plan.is_few:
        return _few(query, plan.path, place, stretch, size)
    keys, stopped, looked = _walk(query, plan.path, stretch, size + 1)
    return replace(_page(keys, size, place, stopped), looked_through=looked)


def find_neighbours(query: CallQuery, plan: Plan, key: Key) -> tuple[UUID | None, UUID | None]:
    """The calls right before and right after a place in the list."""
    if plan.is_few or not plan.path.settles(query):
        before, after = (find_page(query, plan, Place(key, back), size=1).ids for back in (True, False))
        return next(iter(before), None), next(iter(after), None)
    above, below = (Stretch(query.sort, descends, key) for descends in (False, True))
    found = keys_beside(plan.path.candidates(query, above), plan.path.candidates(query, below), query.sort.keys)
    higher = min((one for one in found if one > key), default=(None,))[-1]
    lower = max((one for one in found if one < key), default=(None,))[-1]
    return (higher, lower) if query.sort.descends else (lower, higher)


def _few(query: CallQuery, path: Path, place: Place | None, stretch: Stretch, size: int) -> Found:
    """A page of few calls, all of which are found; when it is the first, with the sums of all pages."""
    branches, names, down = path.matches(query, stretch), query.sort.keys, stretch.descends
    if place is not None:
        keys = keys_of_all(branches, names, descends=down, limit=size + 1, index=path.index)
        return _page(keys, size, place, None)
    keys, sums = keys_and_sums(branches, names, SUMMED, descends=down, limit=size + 1, index=path.index)
    return replace(_page(keys, size, place, None), sums=sums)


def _page(keys: list[Key], size: int, place: Place | None, stopped: Key | None) -> Found:
    """Trims the one key too many that tells whether there is more."""
    back = place is not None and place.back
    more = len(keys) > size
    keys = keys[:size]
    if back:
        keys.reverse()
    first = keys[0] if keys else place.key if place else None
    last = keys[-1] if keys else place.key if place else None
    further = Place(stopped, back) if stopped and not more else None
    if back:
        before = Place(first, back=True) if more and first else further
        return Found(keys, before=before, after=Place(last) if last else None, stopped_at=stopped)
    after = Place(last) if more and last else further
    return Found(keys, Place(first, back=True) if place and first else None, after, None if more else stopped)


def _walk(query: CallQuery, path: Path, stretch: Stretch, wanted: int) -> tuple[list[Key], Key | None, int]:
    """Keys in the order of the list along a stretch; where it stopped, if it did before the end; and how many calls
    were looked through until then, 0 where each is one that is looked for."""
    names, descends = query.sort.keys, stretch.descends
    if path.settles(query):
        return keys_of(path.candidates(query, stretch), names, descends=descends, limit=wanted), None, 0
    found: list[Key] = []
    looked = 0
    for step in STEPS:
        edge = keys_of(path.candidates(query, stretch), names, descends=descends, limit=1, offset=step - 1)
        part = path.matches(query, replace(stretch, until=edge[0]) if edge else stretch)
        found += keys_of(part, names, descends=descends, limit=wanted - len(found))
        looked += step
        if len(found) >= wanted or not edge:
            return found, None, looked
        stretch = replace(stretch, after=edge[0])
    return found, stretch.after, looked
