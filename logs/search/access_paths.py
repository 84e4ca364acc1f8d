"""Lists the access paths of a query: the indexes that can be walked to find its calls. `logs.search.plans`
chooses one.

Databases cannot be left to choose. Their statistics say nothing about how one team's calls differ from
another's, and SQLite has none at all. Both engines assume that a list ordered by time fills quickly; if few
calls match, that reads millions.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.db.models import Q

from logs.models import CallRoute
from logs.search.index_scans import PRIMARY, IndexScans, at_places
from logs.search.query import IN_ROLLUPS, CallQuery, Index, Sort, Stretch, calls_within, tagged
from teams.models import Mode, Token
from usage.rollups.models import Outcome

# An index is not used if it would have to be entered at more places than this.
MOST_PLACES = 50
# The indexes that SQLite is told to use by name; for partial indexes that is not needed.
_HINTED = {Index.BY_MEMBER, Index.BY_MODEL, Index.BY_ROUTE, Index.BY_LATENCY, Index.BY_TOKENS, Index.BY_COST}


@dataclass(frozen=True)
class AccessPath:
    """One index, entered at one or several places and walked in descending order of some columns.

    The path settles every condition whose `Condition.indexes` names the index: it is checked without reading
    calls.
    """

    # None for the primary key, whose order is that of time.
    index: Index | None = None
    # `entry` is a condition that makes the databases use the index. Each of `places` has values of its columns
    # `at`.
    entry: Q = field(default_factory=Q)
    at: tuple[str, ...] = ()
    places: Sequence[tuple[Any, ...]] = ((),)
    order: tuple[str, ...] = ("id",)
    # More columns that the index contains, so that calls are sorted by them or added up without being read.
    holds: frozenset[str] = field(default_factory=frozenset)
    # The outcomes that calls in the index can have, if the rollups can count them; otherwise ().
    outcomes: tuple[int, ...] = ()

    @property
    def hint(self) -> str:
        """The name of the index for SQLite; "" if none is needed."""
        return self.index.value if self.index in _HINTED and self.index else ""

    def settles(self, query: CallQuery) -> bool:
        """Whether the path settles every condition, so that no call has to be read to check one."""
        return self.covered(query) == query.conditions.keys()

    def covered(self, query: CallQuery) -> frozenset[str]:
        """Returns the lookups of the conditions that the path settles."""
        return frozenset(lookup for lookup, one in query.conditions.items() if self.index in one.indexes)

    def is_counted_by_rollups(self, query: CallQuery) -> bool:
        """Whether the rollups can return the number of the path's candidates: the calls that meet the
        conditions it settles.
        """
        return bool(self.outcomes) and self.covered(query) <= IN_ROLLUPS.keys() | {"outcome__in"}

    def gives(self, sort: Sort) -> bool:
        """Whether the path's order is that of the list, or its exact reverse."""
        return self.order == sort.keys

    def candidates(self, query: CallQuery, stretch: Stretch | None = None) -> IndexScans:
        """Returns scans of the path's candidates: the calls that meet the conditions it settles. Only the index
        is read.
        """
        return self._calls(query, self.covered(query), stretch)

    def looked_at(self, query: CallQuery, stretch: Stretch, most: int) -> IndexScans:
        """Returns scans of the candidates as `Call` rows, so that the other conditions can be checked; at most
        `most` calls are read.
        """
        return self.candidates(query, stretch)

    def left_to_check(self, query: CallQuery) -> Q:
        """Returns the conditions that the path does not settle, as a `Q`."""
        left = sorted(query.conditions.keys() - self.covered(query))
        return reduce(Q.__and__, (query.conditions[lookup].q(query) for lookup in left), Q())

    def matches(self, query: CallQuery, stretch: Stretch | None = None) -> IndexScans:
        """Returns scans of the calls that meet every condition of the query."""
        return self._calls(query, query.conditions.keys(), stretch)

    @property
    def _walks_ids(self) -> bool:
        """Whether the index is in the order of ids, so that the period is one range of it."""
        return self.order == ("id",)

    def _calls(self, query: CallQuery, lookups: Set[str], stretch: Stretch | None) -> IndexScans:
        within = calls_within(query, stretch, id_name="id" if self._walks_ids else "plain_id")
        if lookups == query.conditions.keys() and query.only_failed:
            within = within.filter(~Q(outcome=Outcome.SUCCEEDED))
        needed = sorted(lookups - _implied(stretch))
        met = reduce(Q.__and__, (query.conditions[lookup].q(query, self.order[0]) for lookup in needed), Q())
        return at_places(within.filter(self.entry, met), self.at, self.places)


def _implied(stretch: Stretch | None) -> set[str]:
    """Returns the lookups that the stretch of a list sorted by value already implies.

    They are left out of the SQL, because SQLite would use only the first of two bounds (see `id_range`). An
    upper bound of the latency stays, because it also implies that the latency is known.
    """
    if stretch is None or stretch.sort.by_time:
        return set()
    ends = ((stretch.after, stretch.way), (stretch.until, stretch.way_until))
    name = stretch.sort.keys[0]
    return {f"{name}__{way[:2]}e" for key, way in ends if key is not None} - {"latency_key__lte"}


@dataclass(frozen=True)
class TagPath(AccessPath):
    """The access path by tag; its index is a table of its own, `logs.models.CallTag`."""

    @property
    def hint(self) -> str:
        return PRIMARY

    @property
    def _walks_ids(self) -> bool:
        return False  # calls are looked up one by one, by the ids that the table of tags has

    def candidates(self, query: CallQuery, stretch: Stretch | None = None) -> IndexScans:
        return IndexScans(tagged(query, stretch))

    def looked_at(self, query: CallQuery, stretch: Stretch, most: int) -> IndexScans:
        first = tagged(query, stretch).order_by("-id" if stretch.descends else "id")[:most]
        return IndexScans(calls_within(query, stretch, id_name="plain_id").filter(id__in=first))


ROUTE = ("provider", "endpoint", "channel", "stream")
_BY_VALUE = {
    "latency_key": Index.BY_LATENCY,
    "tokens_key": Index.BY_TOKENS,
    "cost_nanos": Index.BY_COST,
    "ttft_ms": Index.BY_TTFT,
}
_ALL = tuple(Outcome)
BY_TIME = AccessPath(outcomes=_ALL)
NOWHERE = AccessPath(places=())


def access_paths(query: CallQuery) -> list[AccessPath]:
    """Returns the indexes that serve a condition of the query, the usually most selective first.

    A path without places means that no call can match.
    """
    return [path for path in _paths(query) if len(path.places) <= MOST_PLACES]


def _paths(query: CallQuery) -> Iterator[AccessPath]:
    for one in query.filters:
        if one.entry:
            # SQLite uses a partial index only if the index's own condition, "not empty", is stated.
            yield AccessPath(one.entry, Q(**{one.lookup: one.value}) & ~Q(**{one.lookup: ""}))
    if "tag" in query.conditions:
        yield TagPath(Index.BY_TAG, Q(id__in=tagged(query)))
    if query.value("unpriced"):
        yield AccessPath(Index.UNPRICED, query.conditions["unpriced"].q(query))
    yield from _by_word(query)
    yield from _by_value(query)
    if any(Index.BY_ROUTE in one.indexes for one in query.filters):
        yield AccessPath(Index.BY_ROUTE, at=ROUTE, places=_routes(query))
    if query.usage.mode == Mode.TEST:
        yield AccessPath(entry=Q(mode=Mode.TEST), outcomes=_ALL)


def _by_word(query: CallQuery) -> Iterator[AccessPath]:
    """Yields the paths by failed calls, by members and by models."""
    if query.only_failed:
        yield AccessPath(
            Index.FAILED,
            ~Q(outcome=Outcome.SUCCEEDED),
            holds=frozenset({"latency_key", "cost_nanos", "has_failed"}),
            outcomes=tuple(outcome for outcome in Outcome if outcome != Outcome.SUCCEEDED),
        )
    if members := _members(query):
        yield _at("member_id", members, Index.BY_MEMBER)
    if models := query.usage.models:
        yield _at("model", models, Index.BY_MODEL)


def _at(name: str, values: Sequence[Any], index: Index) -> AccessPath:
    """Returns the path by an index that is entered at some values of one column."""
    return AccessPath(index, at=(name,), places=[(value,) for value in values], outcomes=_ALL)


def _by_value(query: CallQuery) -> Iterator[AccessPath]:
    for name in _BY_VALUE:
        if {f"{name}__gte", f"{name}__lte"} & query.conditions.keys():
            yield by_value(name)


def by_value(name: str) -> AccessPath:
    """Returns the path by the index of a numeric column. The index of `ttft_ms` (time to first token) has only
    calls with a value.
    """
    there = Q(ttft_ms__isnull=False) if name == "ttft_ms" else Q()
    return AccessPath(_BY_VALUE[name], there, order=(name, "id"), holds=frozenset({"cost_nanos", "has_failed"}))


def _members(query: CallQuery) -> Sequence[int]:
    """Returns the ids of the members who can have made the calls: the requested ones, or the holders of the
    requested tokens; empty for all.

    Calls without a token (id 0) can be any member's.
    """
    usage = query.usage
    if usage.members or not usage.tokens or 0 in usage.tokens:
        return usage.members
    return sorted(set(Token.objects.filter(pk__in=usage.tokens).values_list("user_id", flat=True)))


def _routes(query: CallQuery) -> list[tuple[Any, ...]]:
    wanted = {one.lookup: one.value for one in query.filters if Index.BY_ROUTE in one.indexes}
    return [*CallRoute.objects.filter(team_id=query.usage.team.pk, **wanted).order_by("pk").values_list(*ROUTE)]
