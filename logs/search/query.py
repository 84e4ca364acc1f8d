"""Defines `CallQuery`, the frozen query of the logs that filters refine one after the other, and writes its
conditions as SQL.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, reduce
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, UUIDField, When
from django.db.models.functions import Collate, Upper
from django.db.models.lookups import Contains

from logs.models import LATENCY, TOKENS, Call, CallTag
from logs.recording.ids import first_id
from usage.prices.models import PricedBy
from usage.rollups.models import Outcome
from usage.rollups.query import UsageQuery
from usage.rollups.reader import filters as usage_filters

# A sort key, which gives a call's position in the list: (id,) if sorted by time, otherwise (sorted value, id).
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Position:
    """A position in the list, from which a page is read.

    `key` is the sort key of a call; `back` means that the calls before it in the list are wanted, not those
    after it.
    """

    key: Key
    back: bool = False


class Sort(StrEnum):
    """The order of the list. Calls with equal values are sorted newest first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LATENCY = "latency"
    TOKENS = "tokens"
    COST = "cost"

    @property
    def by_time(self) -> bool:
        return self in {Sort.NEWEST, Sort.OLDEST}

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that order the list. The last is the id, which makes the order unique."""
        return ("id",) if self.by_time else (_SORT_KEY[self], "id")

    @property
    def descends(self) -> bool:
        return self is not Sort.OLDEST


_SORT_KEY = {Sort.LATENCY: "latency_key", Sort.TOKENS: "tokens_key", Sort.COST: "cost_nanos"}


class Index(StrEnum):
    """The indexes by which calls are found. Each value is the index's name in the database; that of BY_TAG
    names a table.
    """

    BY_REQUEST = "call_reported_once"
    BY_SESSION = "call_by_session"
    BY_IP = "call_by_ip"
    BY_TAG = "call_tag"  # a table of its own: `CallTag`
    BY_MEMBER = "call_by_member"
    BY_MODEL = "call_by_model"
    BY_ROUTE = "call_by_route"
    BY_LATENCY = "call_by_latency"
    BY_TOKENS = "call_by_tokens"
    BY_COST = "call_by_cost"
    BY_TTFT = "call_by_ttft"
    FAILED = "call_failed"
    UNPRICED = "call_unpriced"


# The lookups that rollups can count by, and the indexes of calls that contain their columns.
IN_ROLLUPS = {
    "member_id__in": frozenset({Index.BY_MEMBER, Index.FAILED}),
    "model__in": frozenset({Index.BY_MODEL, Index.FAILED, Index.UNPRICED}),
    "token_id__in": frozenset({Index.BY_MEMBER, Index.FAILED}),
}


@dataclass(frozen=True)
class Condition:
    """One condition that a filter puts on calls. A query has at most one condition with the same lookup."""

    lookup: str
    value: Any
    # The indexes that contain the compared column, so that the condition is checked without reading calls.
    indexes: frozenset[Index] = frozenset()
    # A partial index on this column that contains every call whose value is not empty.
    entry: Index | None = None
    # Given a value: whether all calls with it have failed, so that the index of failed calls contains them all.
    fails: Callable[[Any], bool] = lambda value: False
    # Builds the `Q` if lookup and value alone are not enough.
    sql: "Callable[[CallQuery, Condition, str], Q] | None" = None

    @property
    def only_failed(self) -> bool:
        """Whether every call that meets the condition has failed."""
        return self.fails(self.value)

    def q(self, query: "CallQuery", along: str = "") -> Q:
        """Returns the condition as a `Q`; `along` is the first column of the index that is walked."""
        if self.sql is not None:
            return self.sql(query, self, along)
        if isinstance(self.value, tuple) and len(self.value) == 1:
            return Q(**{self.lookup.removesuffix("__in"): self.value[0]})
        return Q(**{self.lookup: self.value})


@dataclass(frozen=True)
class CallQuery:
    """A query for single calls of one team: those of the usage query that also meet all conditions of
    `filters`.

    Costs are in nano-dollars, times in milliseconds; ranges include both ends. The field `members` of `usage`
    restricts the query to the calls of some members.
    """

    usage: UsageQuery
    sort: Sort = Sort.NEWEST
    filters: tuple[Condition, ...] = ()

    def where(self, condition: Condition) -> "CallQuery":
        """Returns the same query with one more condition, which replaces one with the same lookup."""
        others = tuple(one for one in self.filters if one.lookup != condition.lookup)
        return replace(self, filters=(*others, condition))

    def with_value(self, lookup: str, value: Any) -> "CallQuery":
        """Returns the same query with another value for the condition with this lookup."""
        return self.where(replace(self.conditions[lookup], value=value))

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """All conditions by lookup, including those on members, models and tokens; not team, mode and time."""
        of_usage = usage_filters(self.usage).items()
        found = {lookup: Condition(lookup, value, IN_ROLLUPS[lookup]) for lookup, value in of_usage}
        return found | {one.lookup: one for one in self.filters}

    def value(self, lookup: str, default: Any = None) -> Any:
        """Returns the value of the condition with this lookup, or `default` if there is none."""
        return self.conditions[lookup].value if lookup in self.conditions else default

    @property
    def only_failed(self) -> bool:
        """Whether every call that can match has failed, so that the index of failed calls contains them all."""
        return any(one.only_failed for one in self.filters)

    @property
    def counted_by_rollups(self) -> bool:
        """Whether the rollups can return the number of matching calls. They count outcomes and unpriced calls,
        but not the two combined.
        """
        others = self.conditions.keys() - IN_ROLLUPS.keys()
        return not others or others == {"unpriced"} or others == {"outcome__in"}

    @property
    def timed_by_rollups(self) -> bool:
        """Whether the rollups can return the latencies of the matching calls."""
        return self.conditions.keys() <= IN_ROLLUPS.keys()


class Plain(Func):
    """A column that SQLite uses no index for, so that it chooses an index on another column."""

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s", **extra)


_EXPRESSIONS = {
    "latency_key": LATENCY,
    "tokens_key": TOKENS,
    "plain_id": Plain(F("id"), output_field=UUIDField()),
    "has_failed": Case(When(outcome=Outcome.SUCCEEDED, then=0), default=1, output_field=IntegerField()),
}


@dataclass(frozen=True)
class Stretch:
    """A part of the list: the calls after the key `after`, up to and including the key `until`; None means no
    bound.

    The list is read in ascending order, or in descending order if `descends`.
    """

    sort: Sort
    descends: bool
    after: Key | None = None
    until: Key | None = None

    @property
    def way(self) -> str:
        """The lookup that compares a call with `after`."""
        return "lt" if self.descends else "gt"

    @property
    def way_until(self) -> str:
        """The lookup that compares a call with `until`."""
        return "gte" if self.descends else "lte"

    def values(self) -> Q:
        """Returns the bounds of a list that is not sorted by time, as a `Q`.

        Value and id are compared together, written in such a way that both databases read one range of the
        index.
        """
        name, found = self.sort.keys[0], Q()
        for key, way in ((self.after, self.way), (self.until, self.way_until)):
            if key is not None:
                strict = Q(**{f"{name}__{way[:2]}": key[0]})
                found &= Q(**{f"{name}__{way[:2]}e": key[0]}) & (strict | Q(**{f"id__{way}": key[1]}))
        return found


def id_range(query: CallQuery, stretch: Stretch | None = None) -> dict[str, UUID]:
    """Returns the bounds of the ids of calls in the query's period, by lookup; ids begin with the time.

    A stretch of a list sorted by time narrows them. There is one bound for each end: given two, SQLite uses the
    first one and reads everything between them.
    """
    lower, upper = ("gte", first_id(query.usage.range.start)), ("lt", first_id(query.usage.range.end))
    if stretch is not None and stretch.sort.by_time:
        for key, way in ((stretch.after, stretch.way), (stretch.until, stretch.way_until)):
            if key is not None and way.startswith("g"):
                lower = max(lower, (way, key[0]), key=lambda bound: bound[1])
            elif key is not None:
                upper = min(upper, (way, key[0]), key=lambda bound: bound[1])
    return dict([lower, upper])


def calls_within(query: CallQuery, stretch: Stretch | None = None, id_name: str = "id") -> QuerySet[Call]:
    """Returns the calls in the query's team, mode and period, and in the stretch of the list if one is given.
    The query's other conditions are not applied.

    The calls are annotated with the expressions that conditions refer to.
    """
    ids = {f"{id_name}__{way}": bound for way, bound in id_range(query, stretch).items()}
    calls = Call.objects.annotate(**_EXPRESSIONS)
    calls = calls.filter(Q(**ids), team_id=query.usage.team.pk, mode=query.usage.mode)
    return calls if stretch is None or stretch.sort.by_time else calls.filter(stretch.values())


def by_latency(query: CallQuery, condition: Condition, along: str) -> Q:
    """Builds the condition that the latency is at least, or at most, a number of ms. Calls of unknown latency
    never match; the index stores them as -1.
    """
    lookup, value = condition.lookup, condition.value
    if along != "latency_key":
        # The other indexes contain the plain column, not the expression.
        return Q(**{lookup.replace("latency_key", "latency_ms"): value})
    return Q(latency_key__lte=value, latency_key__gte=0) if lookup.endswith("lte") else Q(**{lookup: value})


def by_error(query: CallQuery, condition: Condition, along: str) -> Q:
    """Builds the condition that the error's message, type or code contains a text."""
    columns = ("error_message", "error_type", "error_code")
    return reduce(Q.__or__, (_contains(name, condition.value) for name in columns))


def by_tag(query: CallQuery, condition: Condition, along: str) -> Q:
    """Builds the condition that a call has the tag, by the ids in the table `CallTag`."""
    return Q(Exists(tagged(query).filter(id=OuterRef("id"))))


def by_price(query: CallQuery, condition: Condition, along: str) -> Q:
    """Builds the condition that a call is unpriced, or that it is priced."""
    return Q(priced_by=PricedBy.NOTHING) if condition.value else ~Q(priced_by=PricedBy.NOTHING)


def _contains(name: str, text: str) -> Q:
    """Builds the condition that a column contains a text, ignoring case.

    On PostgreSQL, an ASCII text is compared by the collation "C": ignoring case in all alphabets takes three
    times as long.
    """
    if connection.vendor == "postgresql" and text.isascii():
        return Q(Contains(Upper(Collate(F(name), "C")), text.upper()))
    return Q(**{f"{name}__icontains": text})


def tagged(query: CallQuery, stretch: Stretch | None = None) -> QuerySet[CallTag, Any]:
    """Returns the ids of the calls with the requested tag, in the query's team, mode and period, and in the
    stretch of the list if one is given.
    """
    ids = {f"id__{way}": bound for way, bound in id_range(query, stretch).items()}
    found = CallTag.objects.filter(team_id=query.usage.team.pk, mode=query.usage.mode, tag=query.value("tag"))
    return found.filter(**ids).values("id")


def _where(query: CallQuery) -> Q:
    """Returns all conditions except team, mode and time as one `Q`."""
    found = reduce(Q.__and__, (one.q(query) for one in query.conditions.values()), Q())
    # The conditions imply it, but the databases use the index of failed calls only if it is stated.
    return found & ~Q(outcome=Outcome.SUCCEEDED) if query.only_failed else found


def matching(query: CallQuery, stretch: Stretch | None = None) -> QuerySet[Call]:
    """Returns the calls that match the query, unordered."""
    return calls_within(query, stretch).filter(_where(query))
