"""The access paths of a query: which indexes can be walked to find its calls. Decided here, because the
databases cannot.

Database statistics say nothing about how one team's calls differ from another's (SQLite has none at all). Both
engines assume that a list ordered by time fills quickly; if few calls match, that reads millions.
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

# More places than this are not walked at once.
MOST_PLACES = 50
# The indexes that SQLite must be told by name; partial ones it cannot be told.
_HINTED = {Index.BY_MEMBER, Index.BY_MODEL, Index.BY_ROUTE, Index.BY_LATENCY, Index.BY_TOKENS, Index.BY_COST}


@dataclass(frozen=True)
class AccessPath:
    """One index, entered at one or several places and walked in descending order of some columns.

    It settles the conditions that name its index (`Condition.indexes`): they are checked without reading calls.
    """

    # None for the primary key, which is in the order of time.
    index: Index | None = None
    # What makes it this index, and the places in it: values of its columns `at`, as many as are to be walked.
    entry: Q = field(default_factory=Q)
    at: tuple[str, ...] = ()
    places: Sequence[tuple[Any, ...]] = ((),)
    order: tuple[str, ...] = ("id",)
    # Columns that stand in the index too, so that to sort by them or add them up reads no calls.
    holds: frozenset[str] = field(default_factory=frozenset)
    # What the calls there can have come to, where the rollups count them all; () where they do not.
    outcomes: tuple[int, ...] = ()

    @property
    def hint(self) -> str:
        """The name of the index for SQLite; "" where none is needed."""
        return self.index.value if self.index in _HINTED and self.index else ""

    def settles(self, query: CallQuery) -> bool:
        """Whether no condition is left to check on the calls themselves."""
        return self.covered(query) == query.conditions.keys()

    def covered(self, query: CallQuery) -> frozenset[str]:
        """The lookups of the conditions that it settles."""
        return frozenset(lookup for lookup, one in query.conditions.items() if self.index in one.indexes)

    def is_counted_by_rollups(self, query: CallQuery) -> bool:
        """Whether the rollups have the number of its candidates."""
        return bool(self.outcomes) and self.covered(query) <= IN_ROLLUPS.keys() | {"outcome__in"}

    def gives(self, sort: Sort) -> bool:
        """Whether it runs in that order or exactly against it."""
        return self.order == sort.keys

    def candidates(self, query: CallQuery, stretch: Stretch | None = None) -> IndexScans:
        """The calls at each place that meet what the path settles: all in the index."""
        return self._calls(query, self.covered(query), stretch)

    def looked_at(self, query: CallQuery, stretch: Stretch, most: int) -> IndexScans:
        """The candidates as calls, on which the remaining conditions can be checked; at most `most` are read."""
        return self.candidates(query, stretch)

    def left_to_check(self, query: CallQuery) -> Q:
        """The conditions that the index does not settle."""
        left = sorted(query.conditions.keys() - self.covered(query))
        return reduce(Q.__and__, (query.conditions[lookup].q(query) for lookup in left), Q())

    def matches(self, query: CallQuery, stretch: Stretch | None = None) -> IndexScans:
        """The calls at each place that meet every condition."""
        return self._calls(query, query.conditions.keys(), stretch)

    @property
    def _walks_ids(self) -> bool:
        """Whether the time range of the query is a range of the index."""
        return self.order == ("id",)

    def _calls(self, query: CallQuery, lookups: Set[str], stretch: Stretch | None) -> IndexScans:
        within = calls_within(query, stretch, id_name="id" if self._walks_ids else "plain_id")
        if lookups == query.conditions.keys() and query.only_failed:
            within = within.filter(~Q(outcome=Outcome.SUCCEEDED))
        needed = sorted(lookups - _implied(stretch))
        met = reduce(Q.__and__, (query.conditions[lookup].q(query, self.order[0]) for lookup in needed), Q())
        return at_places(within.filter(self.entry, met), self.at, self.places)


def _implied(stretch: Stretch | None) -> set[str]:
    """The conditions that a stretch of a list sorted by value already implies; a second bound would hide the
    first (see `id_range`).

    An upper bound of the latency also implies that the latency is known.
    """
    if stretch is None or stretch.sort.by_time:
        return set()
    ends = ((stretch.after, stretch.way), (stretch.until, stretch.way_until))
    name = stretch.sort.keys[0]
    return {f"{name}__{way[:2]}e" for key, way in ends if key is not None} - {"latency_key__lte"}


@dataclass(frozen=True)
class TagPath(AccessPath):
    """The index of tags, which is a table of its own."""

    @property
    def hint(self) -> str:
        return PRIMARY

    @property
    def _walks_ids(self) -> bool:
        return False  # not of the calls' index, which is entered at single ids

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
    """The indexes that serve a condition of the query, the usually most selective first.

    A path without places means that no call can match.
    """
    return [path for path in _paths(query) if len(path.places) <= MOST_PLACES]


def _paths(query: CallQuery) -> Iterator[AccessPath]:
    for one in query.filters:
        if one.entry:
            # The rest says that the partial index has it, which SQLite does not see by itself.
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
    """The paths of failed calls, members and models."""
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
    """The path of an index that is entered at some values of one column."""
    return AccessPath(index, at=(name,), places=[(value,) for value in values], outcomes=_ALL)


def _by_value(query: CallQuery) -> Iterator[AccessPath]:
    for name in _BY_VALUE:
        if {f"{name}__gte", f"{name}__lte"} & query.conditions.keys():
            yield by_value(name)


def by_value(name: str) -> AccessPath:
    """The path of the index of a value; the one of the time to first token has only calls that have one."""
    there = Q(ttft_ms__isnull=False) if name == "ttft_ms" else Q()
    return AccessPath(_BY_VALUE[name], there, order=(name, "id"), holds=frozenset({"cost_nanos", "has_failed"}))


def _members(query: CallQuery) -> Sequence[int]:
    """The possible callers: the requested members, or the holders of the requested tokens.

    Calls without a token (id 0) can be anybody's.
    """
    usage = query.usage
    if usage.members or not usage.tokens or 0 in usage.tokens:
        return usage.members
    return sorted(set(Token.objects.filter(pk__in=usage.tokens).values_list("user_id", flat=True)))


def _routes(query: CallQuery) -> list[tuple[Any, ...]]:
    wanted = {one.lookup: one.value for one in query.filters if Index.BY_ROUTE in one.indexes}
    return [*CallRoute.objects.filter(team_id=query.usage.team.pk, **wanted).order_by("pk").values_list(*ROUTE)]
