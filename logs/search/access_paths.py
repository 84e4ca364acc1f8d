"""Ways into the calls of a question: which index to walk. Decided here, because the databases cannot.

Their statistics know nothing of how one team's calls differ from another's (SQLite keeps none at all), and
both hope that a list in the order of time fills soon; when few calls match, that reads millions.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.db.models import Q

from logs.models import CallRoute
from logs.search.index_scans import PRIMARY, Branches, at_places
from logs.search.query import IN_ROLLUPS, CallQuery, Sort, Stretch, calls_within, condition, tagged
from teams.models import Mode, Token
from usage.prices.models import PricedBy
from usage.rollups.models import Outcome

# More places than this are not walked at once.
MOST_PLACES = 50


@dataclass(frozen=True)
class Path:
    """One index, entered at one place or several, and then walked in the order of some columns, descending.

    `covers` are the conditions that the index settles without reading calls.
    """

    # What makes it this index, and the places in it: values of its columns `at`, as many as are to be walked.
    entry: Q = field(default_factory=Q)
    covers: frozenset[str] = field(default_factory=frozenset)
    at: tuple[str, ...] = ()
    places: Sequence[tuple[Any, ...]] = ((),)
    order: tuple[str, ...] = ("id",)
    # Columns that stand in the index too, so that to sort by them or add them up reads no calls.
    holds: frozenset[str] = field(default_factory=frozenset)
    # What the calls there can have come to, where the rollups count them all; () where they do not.
    outcomes: tuple[int, ...] = ()
    # The index's name for SQLite, which must be told; "" for partial ones, which it cannot be told.
    index: str = ""

    def settles(self, query: CallQuery) -> bool:
        """Whether nothing is left to check on the calls themselves."""
        return self.covers >= set(query.asked)

    def covered(self, query: CallQuery) -> frozenset[str]:
        """The conditions of the question that it settles."""
        return self.covers & query.asked.keys()

    def is_counted_by_rollups(self, query: CallQuery) -> bool:
        """Whether the rollups know how many candidates it has."""
        return bool(self.outcomes) and self.covered(query) <= IN_ROLLUPS | {"outcome__in"}

    def gives(self, sort: Sort) -> bool:
        """Whether it runs in that order, or exactly against it."""
        return self.order == sort.keys

    def candidates(self, query: CallQuery, stretch: Stretch | None = None) -> Branches:
        """The calls at each place that meet what the path covers: all in the index."""
        return self._calls(query, self.covered(query), stretch)

    def looked_at(self, query: CallQuery, stretch: Stretch, most: int) -> Branches:
        """The candidates as calls, on which the rest can be checked; not more than `most` will be."""
        return self.candidates(query, stretch)

    def left_to_check(self, query: CallQuery) -> Q:
        """What the index does not settle."""
        return reduce(
            Q.__and__, (condition(query, lookup) for lookup in sorted(set(query.asked) - self.covers)), Q()
        )

    def matches(self, query: CallQuery, stretch: Stretch | None = None) -> Branches:
        """The calls at each place that meet every condition."""
        return self._calls(query, set(query.asked), stretch)

    @property
    def _walks_ids(self) -> bool:
        """Whether the range of time is a range of the index."""
        return self.order == ("id",)

    def _calls(self, query: CallQuery, lookups: Set[str], stretch: Stretch | None) -> Branches:
        within = calls_within(query, stretch, id_name="id" if self._walks_ids else "plain_id")
        if lookups == set(query.asked) and query.only_failed:
            within = within.filter(~Q(outcome=Outcome.SUCCEEDED))
        needed = sorted(lookups - _implied(stretch))
        met = reduce(Q.__and__, (condition(query, lookup, self.order[0]) for lookup in needed), Q())
        return at_places(within.filter(self.entry, met), self.at, self.places)


def _implied(stretch: Stretch | None) -> set[str]:
    """What a stretch of a list by value says already, and a second bound would only hide; see `id_range`.

    That latencies have an upper bound says more: that they are known.
    """
    if stretch is None or stretch.sort.by_time:
        return set()
    ends = ((stretch.after, stretch.way), (stretch.until, stretch.way_until))
    name = stretch.sort.keys[0]
    return {f"{name}__{way[:2]}e" for key, way in ends if key is not None} - {"latency_key__lte"}


@dataclass(frozen=True)
class TagPath(Path):
    """The index of tags, which is a table of its own."""

    @property
    def _walks_ids(self) -> bool:
        return False  # not of the calls' index, which is entered at single ids

    def candidates(self, query: CallQuery, stretch: Stretch | None = None) -> Branches:
        return Branches(tagged(query, stretch))

    def looked_at(self, query: CallQuery, stretch: Stretch, most: int) -> Branches:
        first = tagged(query, stretch).order_by("-id" if stretch.descends else "id")[:most]
        return Branches(calls_within(query, stretch, id_name="plain_id").filter(id__in=first))


ROUTE = ("provider", "endpoint", "channel", "stream")
_ROUTE = frozenset({"provider__in", "endpoint__in", "channel__in", "stream"})
_VALUES = {
    "latency_key": "call_by_latency",
    "tokens_key": "call_by_tokens",
    "cost_nanos": "call_by_cost",
    "ttft_ms": "",
}
_OF_FAILED = frozenset(
    {"member_id__in", "token_id__in", "model__in", "status__in", "error_type__in", "outcome__in"}
    | {f"{name}__{way}" for name in ("latency_key", "cost_nanos") for way in ("gte", "lte")}
)
_ALL = tuple(Outcome)
BY_TIME = Path(outcomes=_ALL)
NOWHERE = Path(places=())


def paths(query: CallQuery) -> list[Path]:
    """The indexes that have something to say to the question, first those that mostly leave the fewest calls.

    A path without places says that no call can match.
    """
    return [path for path in _paths(query) if len(path.places) <= MOST_PLACES]


def _paths(query: CallQuery) -> Iterator[Path]:
    asked = query.asked
    for name in ("request_id", "session_id", "ip"):
        if name in asked:
            # The rest says that the partial index has it, which SQLite does not see by itself.
            yield Path(Q(**{name: asked[name]}) & ~Q(**{name: ""}), frozenset({name}))
    if "tag" in asked:
        yield TagPath(Q(id__in=tagged(query)), frozenset({"tag"}), index=PRIMARY)
    if asked.get("unpriced"):
        yield Path(Q(priced_by=PricedBy.NOTHING), frozenset({"unpriced", "model__in"}))
    yield from _by_word(query)
    yield from _by_value(query)
    if _ROUTE & set(asked):
        yield Path(covers=_ROUTE, at=ROUTE, places=_routes(query), index="call_by_route")
    if query.usage.mode == Mode.TEST:
        yield Path(Q(mode=Mode.TEST), outcomes=_ALL)


def _by_word(query: CallQuery) -> Iterator[Path]:
    """Failed calls, members, models."""
    if query.only_failed:
        yield Path(
            ~Q(outcome=Outcome.SUCCEEDED),
            _OF_FAILED,
            holds=frozenset({"latency_key", "cost_nanos", "has_failed"}),
            outcomes=tuple(outcome for outcome in Outcome if outcome != Outcome.SUCCEEDED),
        )
    if members := _members(query):
        covers = frozenset({"member_id__in", "token_id__in", "outcome__in"})
        yield _at("member_id", members, covers, "call_by_member")
    if models := query.usage.models:
        yield _at("model", models, frozenset({"model__in", "outcome__in"}), "call_by_model")


def _at(name: str, values: Sequence[Any], covers: frozenset[str], index: str) -> Path:
    """Along an index that is entered at some values of one column."""
    return Path(covers=covers, at=(name,), places=[(value,) for value in values], outcomes=_ALL, index=index)


def _by_value(query: CallQuery) -> Iterator[Path]:
    for name in _VALUES:
        lookups = frozenset({f"{name}__gte", f"{name}__lte"})
        if lookups & set(query.asked):
            yield by_value(name, lookups)


def by_value(name: str, covers: frozenset[str] = frozenset()) -> Path:
    """Along the index of a value; that of the time to first token has only calls that have one."""
    there = Q(ttft_ms__isnull=False) if name == "ttft_ms" else Q()
    return Path(
        there, covers, order=(name, "id"), holds=frozenset({"cost_nanos", "has_failed"}), index=_VALUES[name]
    )


def _members(query: CallQuery) -> Sequence[int]:
    """Whose calls these can be: the members asked for, else the holders of the tokens asked for.

    Calls without a token (its id is 0) can be anybody's.
    """
    usage = query.usage
    if usage.members or not usage.tokens or 0 in usage.tokens:
        return usage.members
    return sorted(set(Token.objects.filter(pk__in=usage.tokens).values_list("user_id", flat=True)))


def _routes(query: CallQuery) -> list[tuple[Any, ...]]:
    asked = query.asked
    wanted = {lookup: asked[lookup] for lookup in _ROUTE & set(asked)}
    return [*CallRoute.objects.filter(team_id=query.usage.team.pk, **wanted).order_by("pk").values_list(*ROUTE)]
