"""The query of the logs: frozen, refined by one filter after the other, and its conditions in SQL."""

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

# Where a call stands in a list: the value it is sorted by, if it is by one, and its id.
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Position:
    """A position in the list: the key of a call there, and whether newer (or higher) calls are wanted."""

    key: Key
    back: bool = False


class Sort(StrEnum):
    """The order of the list; equal values are sorted newest first."""

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
        """The columns that order the list; the id makes every position unique."""
        return ("id",) if self.by_time else (_SORT_KEY[self], "id")

    @property
    def descends(self) -> bool:
        return self is not Sort.OLDEST


_SORT_KEY = {Sort.LATENCY: "latency_key", Sort.TOKENS: "tokens_key", Sort.COST: "cost_nanos"}


class Index(StrEnum):
    """The indexes by which calls are found; the value is the name in the database."""

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


# The conditions that rollups can count by, which the usage query states, and the indexes that hold them.
IN_ROLLUPS = {
    "member_id__in": frozenset({Index.BY_MEMBER, Index.FAILED}),
    "model__in": frozenset({Index.BY_MODEL, Index.FAILED, Index.UNPRICED}),
    "token_id__in": frozenset({Index.BY_MEMBER, Index.FAILED}),
}


@dataclass(frozen=True)
class Condition:
    """One condition on calls, as a filter states it. Conditions are told apart by their lookup."""

    lookup: str
    value: Any
    # The indexes that hold what is compared, so that no call is read to check it.
    indexes: frozenset[Index] = frozenset()
    # The partial index that has all calls with this value, of those where it is not empty.
    entry: Index | None = None
    # Whether every call with a value has failed, so that the index of failed calls has them all.
    fails: Callable[[Any], bool] = lambda value: False
    # Makes the SQL where the lookup alone does not say it.
    sql: "Callable[[CallQuery, Condition, str], Q] | None" = None

    @property
    def only_failed(self) -> bool:
        """Whether every call that meets it has failed."""
        return self.fails(self.value)

    def q(self, query: "CallQuery", along: str = "") -> Q:
        """The condition as a `Q`; `along` is the column whose index is walked."""
        if self.sql is not None:
            return self.sql(query, self, along)
        if isinstance(self.value, tuple) and len(self.value) == 1:
            return Q(**{self.lookup.removesuffix("__in"): self.value[0]})
        return Q(**{self.lookup: self.value})


@dataclass(frozen=True)
class CallQuery:
    """Single calls of one team: those of the usage query that also meet all conditions of `filters`.

    Costs are nano-dollars, times milliseconds, both ends of a range included. The field `members` of `usage`
    restricts them to the calls of some members.
    """

    usage: UsageQuery
    sort: Sort = Sort.NEWEST
    filters: tuple[Condition, ...] = ()

    def where(self, condition: Condition) -> "CallQuery":
        """The same query with one more condition, which replaces one with the same lookup."""
        others = tuple(one for one in self.filters if one.lookup != condition.lookup)
        return replace(self, filters=(*others, condition))

    def with_value(self, lookup: str, value: Any) -> "CallQuery":
        """The same query with another value in one of its conditions."""
        return self.where(replace(self.conditions[lookup], value=value))

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """All conditions beside team, mode and time, by lookup."""
        of_usage = usage_filters(self.usage).items()
        found = {lookup: Condition(lookup, value, IN_ROLLUPS[lookup]) for lookup, value in of_usage}
        return found | {one.lookup: one for one in self.filters}

    def value(self, lookup: str, default: Any = None) -> Any:
        """The value of a condition, or `default` where there is none."""
        return self.conditions[lookup].value if lookup in self.conditions else default

    @property
    def only_failed(self) -> bool:
        """Whether every call that it can find has failed, so that the index of failed calls has them all."""
        return any(one.only_failed for one in self.filters)

    @property
    def counted_by_rollups(self) -> bool:
        """Whether the rollups have the number of these calls. They count unpriced calls, but not by outcome."""
        others = self.conditions.keys() - IN_ROLLUPS.keys()
        return not others or others == {"unpriced"} or others == {"outcome__in"}

    @property
    def timed_by_rollups(self) -> bool:
        """Whether the rollups have the latencies of these calls."""
        return self.conditions.keys() <= IN_ROLLUPS.keys()


class Plain(Func):
    """A column for which SQLite uses no index, so that it takes the intended one."""

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
    """A part of the list: what follows one key, up to and including another, in a direction."""

    sort: Sort
    descends: bool
    after: Key | None = None
    until: Key | None = None

    @property
    def way(self) -> str:
        """The comparison with `after`."""
        return "lt" if self.descends else "gt"

    @property
    def way_until(self) -> str:
        """The comparison with `until`."""
        return "gte" if self.descends else "lte"

    def values(self) -> Q:
        """For lists sorted by a value: keys compared as a whole, so that both databases use a range of the
        index.
        """
        name, found = self.sort.keys[0], Q()
        for key, way in ((self.after, self.way), (self.until, self.way_until)):
            if key is not None:
                strict = Q(**{f"{name}__{way[:2]}": key[0]})
                found &= Q(**{f"{name}__{way[:2]}e": key[0]}) & (strict | Q(**{f"id__{way}": key[1]}))
        return found


def id_range(query: CallQuery, stretch: Stretch | None = None) -> dict[str, UUID]:
    """The range of ids for the time of the query, intersected with the stretch of a list sorted by time.

    One bound for each end: given two, SQLite uses the first one and reads everything between them.
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
    """The calls of the team, mode, time and stretch, with the expressions that conditions refer to."""
    ids = {f"{id_name}__{way}": bound for way, bound in id_range(query, stretch).items()}
    calls = Call.objects.annotate(**_EXPRESSIONS)
    calls = calls.filter(Q(**ids), team_id=query.usage.team.pk, mode=query.usage.mode)
    return calls if stretch is None or stretch.sort.by_time else calls.filter(stretch.values())


def by_latency(query: CallQuery, condition: Condition, along: str) -> Q:
    """A bound of the latency. An unknown latency is neither short nor long; its index stores it as -1."""
    lookup, value = condition.lookup, condition.value
    if along != "latency_key":
        # Without the expression, it is a condition on the indexes that carry the column.
        return Q(**{lookup.replace("latency_key", "latency_ms"): value})
    return Q(latency_key__lte=value, latency_key__gte=0) if lookup.endswith("lte") else Q(**{lookup: value})


def by_error(query: CallQuery, condition: Condition, along: str) -> Q:
    """A text in any of the columns of an error."""
    columns = ("error_message", "error_type", "error_code")
    return reduce(Q.__or__, (_contains(name, condition.value) for name in columns))


def by_tag(query: CallQuery, condition: Condition, along: str) -> Q:
    """Calls with a tag, by the ids in the table of tags."""
    return Q(Exists(tagged(query).filter(id=OuterRef("id"))))


def by_price(query: CallQuery, condition: Condition, along: str) -> Q:
    """Calls without a known price, or those with one."""
    return Q(priced_by=PricedBy.NOTHING) if condition.value else ~Q(priced_by=PricedBy.NOTHING)


def _contains(name: str, text: str) -> Q:
    """Whether a column contains a text, ignoring case.

    PostgreSQL takes three times as long to ignore the case of all alphabets, which plain letters do not need.
    """
    if connection.vendor == "postgresql" and text.isascii():
        return Q(Contains(Upper(Collate(F(name), "C")), text.upper()))
    return Q(**{f"{name}__icontains": text})


def tagged(query: CallQuery, stretch: Stretch | None = None) -> QuerySet[CallTag, Any]:
    """The ids of the calls with the requested tag, in the team, mode, time and stretch."""
    ids = {f"id__{way}": bound for way, bound in id_range(query, stretch).items()}
    found = CallTag.objects.filter(team_id=query.usage.team.pk, mode=query.usage.mode, tag=query.value("tag"))
    return found.filter(**ids).values("id")


def _where(query: CallQuery) -> Q:
    """All conditions except team, mode and time."""
    found = reduce(Q.__and__, (one.q(query) for one in query.conditions.values()), Q())
    # Implied, but said, or the databases do not see it.
    return found & ~Q(outcome=Outcome.SUCCEEDED) if query.only_failed else found


def matching(query: CallQuery, stretch: Stretch | None = None) -> QuerySet[Call]:
    """The matching calls, unordered."""
    return calls_within(query, stretch).filter(_where(query))
