"""What is asked of the logs: a frozen question, made from a valid form, and its conditions in the database."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import reduce
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


class Sort(StrEnum):
    """The order of the list; the first of equals is the newer one."""

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
        """The columns that say where a call stands; the id makes every place a single one."""
        return ("id",) if self.by_time else (_SORT_KEY[self], "id")

    @property
    def descends(self) -> bool:
        return self is not Sort.OLDEST


_SORT_KEY = {Sort.LATENCY: "latency_key", Sort.TOKENS: "tokens_key", Sort.COST: "cost_nanos"}


IN_ROLLUPS = {"member_id__in", "model__in", "token_id__in"}


def _asked(lookup: str, default: Any = None) -> Any:
    return field(default=default, metadata={"lookup": lookup})


@dataclass(frozen=True)
class CallQuery:
    """Single calls of one team: those that `usage` counts, and of them those that meet all the rest.

    Names are those of the address. None and () ask for nothing. Costs are nano-dollars, times milliseconds,
    both ends of a range included. A member's own calls are `usage.members`.
    """

    usage: UsageQuery
    sort: Sort = Sort.NEWEST
    outcome: tuple[int, ...] = _asked("outcome__in", ())
    status: tuple[int, ...] = _asked("status__in", ())
    latency_from: int | None = _asked("latency_key__gte")
    latency_to: int | None = _asked("latency_key__lte")
    ttft_from: int | None = _asked("ttft_ms__gte")
    ttft_to: int | None = _asked("ttft_ms__lte")
    tokens_from: int | None = _asked("tokens_key__gte")
    tokens_to: int | None = _asked("tokens_key__lte")
    cost_from: int | None = _asked("cost_nanos__gte")
    cost_to: int | None = _asked("cost_nanos__lte")
    stream: bool | None = _asked("stream")
    provider: tuple[str, ...] = _asked("provider__in", ())
    endpoint: tuple[str, ...] = _asked("endpoint__in", ())
    channel: tuple[str, ...] = _asked("channel__in", ())
    error_type: tuple[str, ...] = _asked("error_type__in", ())
    error: str = _asked("error", "")
    ip: str = _asked("ip", "")
    session: str = _asked("session_id", "")
    tag: str = _asked("tag", "")
    request: str = _asked("request_id", "")
    unpriced: bool | None = _asked("unpriced")

    @property
    def asked(self) -> dict[str, Any]:
        """All conditions beside team, mode and time, by lookup; a condition of several values is sorted."""
        found = dict(usage_filters(self.usage))
        for one in fields(self):
            value = getattr(self, one.name)
            if "lookup" in one.metadata and value not in (None, (), ""):
                found[one.metadata["lookup"]] = value
        return found

    @property
    def only_failed(self) -> bool:
        """Whether every call that it can find has failed, so that the index of failed calls has them all."""
        outcomes = bool(self.outcome) and Outcome.SUCCEEDED not in self.outcome
        statuses = bool(self.status) and min(self.status) >= 400
        return outcomes or statuses or bool(self.error or self.error_type)

    @property
    def counted_by_rollups(self) -> bool:
        """Whether the rollups know how many these are. They count unpriced calls, but not by outcome."""
        others = set(self.asked) - IN_ROLLUPS
        return not others or others == {"unpriced"} or others == {"outcome__in"}

    @property
    def timed_by_rollups(self) -> bool:
        """Whether the rollups know how long these took."""
        return set(self.asked) <= IN_ROLLUPS


NAMES = tuple(one.name for one in fields(CallQuery) if "lookup" in one.metadata)


class Plain(Func):
    """A column that SQLite looks up no index for, so that it takes the index that is meant."""

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
    """A part of the list: what comes after one key, as far as another and with it, in a direction."""

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
        """For lists by a value: keys compared as a whole, so that both databases see a range of the index."""
        name, found = self.sort.keys[0], Q()
        for key, way in ((self.after, self.way), (self.until, self.way_until)):
            if key is not None:
                strict = Q(**{f"{name}__{way[:2]}": key[0]})
                found &= Q(**{f"{name}__{way[:2]}e": key[0]}) & (strict | Q(**{f"id__{way}": key[1]}))
        return found


def id_range(query: CallQuery, stretch: Stretch | None = None) -> dict[str, UUID]:
    """The range of ids that the time of the query is, within the stretch of a list by time.

    One bound for each end: of two, SQLite takes the first it meets, and then reads all between them.
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
    """The calls of the team, mode, time and stretch, with the expressions that conditions speak of."""
    ids = {f"{id_name}__{way}": bound for way, bound in id_range(query, stretch).items()}
    calls = Call.objects.annotate(**_EXPRESSIONS)
    calls = calls.filter(Q(**ids), team_id=query.usage.team.pk, mode=query.usage.mode)
    return calls if stretch is None or stretch.sort.by_time else calls.filter(stretch.values())


def condition(query: CallQuery, lookup: str, along: str = "") -> Q:
    """One of `query.asked` as the database understands it, on the way along the index of a value."""
    value = query.asked[lookup]
    match lookup:
        case "latency_key__gte" | "latency_key__lte" if along != "latency_key":
            # Without the expression, it is a condition on the indexes that carry the column. Unknown is neither.
            return Q(**{lookup.replace("latency_key", "latency_ms"): value})
        case "error":
            return reduce(
                Q.__or__, (_contains(name, value) for name in ("error_message", "error_type", "error_code"))
            )
        case "tag":
            return Q(Exists(tagged(query).filter(id=OuterRef("id"))))
        case "unpriced":
            return Q(priced_by=PricedBy.NOTHING) if value else ~Q(priced_by=PricedBy.NOTHING)
        case "latency_key__lte":  # an unknown latency is not a short one
            return Q(latency_key__lte=value, latency_key__gte=0)
    if isinstance(value, tuple) and len(value) == 1:
        return Q(**{lookup.removesuffix("__in"): value[0]})
    return Q(**{lookup: value})


def _contains(name: str, text: str) -> Q:
    """Whether a column contains a text, in letters of either case.

    PostgreSQL takes three times as long for the case of all alphabets, which a text in plain letters has no need of.
    """
    if connection.vendor == "postgresql" and text.isascii():
        return Q(Contains(Upper(Collate(F(name), "C")), text.upper()))
    return Q(**{f"{name}__icontains": text})


def tagged(query: CallQuery, stretch: Stretch | None = None) -> QuerySet[CallTag, Any]:
    """The ids of the calls with the tag that is asked for, in the team, mode, time and stretch."""
    ids = {f"id__{way}": bound for way, bound in id_range(query, stretch).items()}
    found = CallTag.objects.filter(team_id=query.usage.team.pk, mode=query.usage.mode, tag=query.tag)
    return found.filter(**ids).values("id")


def conditions(query: CallQuery) -> Q:
    """All conditions beside team, mode and time."""
    found = Q()
    for lookup in query.asked:
        found &= condition(query, lookup)
    if query.only_failed:  # implied, but said, or the databases do not see it
        found &= ~Q(outcome=Outcome.SUCCEEDED)
    return found


def matching(query: CallQuery, stretch: Stretch | None = None) -> QuerySet[Call]:
    """The calls that are asked for, in no order."""
    return calls_within(query, stretch).filter(conditions(query))
