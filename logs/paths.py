"""Ways into the calls of a question: which index to walk. Decided here, because the databases cannot.

Their statistics know nothing of how one team's calls differ from another's (SQLite keeps none at all), and
both hope that a list in the order of time fills soon; when few calls match, that reads millions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

from django.db.models import Q, QuerySet

from logs.models import Call, CallRoute, CallTag
from logs.query import CallQuery, Sort, calls_within, condition
from teams.models import Mode, Token
from usage.models import Outcome, PricedBy

# More places than this are not walked at once.
MOST_BRANCHES = 50


@dataclass(frozen=True)
class Path:
    """One index, entered at one place or several.

    `covers` are the conditions that the index settles without reading calls. `sorts` is the order in which
    every branch runs; None where it runs by something else.
    """

    branches: Sequence[Q]
    covers: frozenset[str] = field(default_factory=frozenset)
    sorts: Sort | None = Sort.NEWEST

    def settles(self, query: CallQuery) -> bool:
        """Whether nothing is left to check on the calls themselves."""
        return self.covers >= set(query.asked)

    def gives(self, sort: Sort) -> bool:
        """Whether it runs in that order, or exactly against it."""
        return self.sorts is sort or (self.sorts is Sort.NEWEST and sort.by_time)

    def calls(self, query: CallQuery, *, every: bool) -> list[QuerySet[Call]]:
        """The calls of each branch: those that meet `every` condition, or only the ones it covers."""
        lookups = set(query.asked) if every else set(query.asked) & self.covers
        within = self._within(query)
        if every and query.only_failed:
            within = within.filter(~Q(outcome=Outcome.SUCCEEDED))
        met = reduce(Q.__and__, (condition(query, lookup) for lookup in sorted(lookups)), Q())
        return [within.filter(branch, met) for branch in self.branches]

    def _within(self, query: CallQuery) -> QuerySet[Call]:
        return calls_within(query, id_name="id" if self.sorts is Sort.NEWEST else "plain_id")


_ROUTE = frozenset({"provider__in", "endpoint__in", "channel__in", "stream"})
# The indexes of values; that of the time to first token gives no order of the list.
_VALUES: dict[Sort | None, tuple[str, str]] = {
    Sort.LATENCY: ("latency_key__gte", "latency_key__lte"),
    Sort.TOKENS: ("tokens_key__gte", "tokens_key__lte"),
    Sort.COST: ("cost_nanos__gte", "cost_nanos__lte"),
    None: ("ttft_ms__gte", "ttft_ms__lte"),
}
BY_TIME = Path([Q()])


def paths(query: CallQuery) -> list[Path]:
    """The indexes that have something to say to the question, first those that mostly leave the fewest calls.

    A path without branches says that no call can match.
    """
    return [path for path in _paths(query) if len(path.branches) <= MOST_BRANCHES]


def _paths(query: CallQuery) -> Iterator[Path]:
    asked = query.asked
    for name in ("request_id", "session_id", "ip"):
        if name in asked:
            yield Path([Q(**{name: asked[name]})], frozenset({name}))
    if "tag" in asked:
        yield _tagged(query)
    if asked.get("unpriced"):
        yield Path([Q(priced_by=PricedBy.NOTHING)], frozenset({"unpriced", "model__in"}))
    yield from _by_word(query)
    if _ROUTE & set(asked):
        yield Path(_routes(query), _ROUTE)
    yield from _by_value(query)
    if query.usage.mode == Mode.TEST:
        yield Path([Q(mode=Mode.TEST)])


def _by_word(query: CallQuery) -> Iterator[Path]:
    """Failed calls, members, models."""
    if query.only_failed:
        covers = {"member_id__in", "model__in", "status__in", "error_type__in", "outcome__in"}
        yield Path([~Q(outcome=Outcome.SUCCEEDED)], frozenset(covers))
    if members := _members(query):
        covers = {"member_id__in", "token_id__in", "outcome__in"}
        yield Path([Q(member_id=member) for member in members], frozenset(covers))
    if models := query.usage.models:
        yield Path([Q(model=model) for model in models], frozenset({"model__in", "outcome__in"}))


def _by_value(query: CallQuery) -> Iterator[Path]:
    for sort, lookups in _VALUES.items():
        if set(lookups) & set(query.asked):
            yield Path([Q() if sort else Q(ttft_ms__isnull=False)], frozenset(lookups), sort)


def _tagged(query: CallQuery) -> Path:
    ids = CallTag.objects.filter(team_id=query.usage.team.pk, tag=query.tag).values("id")
    return Path([Q(id__in=ids)], frozenset({"tag"}), None)


def _members(query: CallQuery) -> Sequence[int]:
    """Whose calls these can be: the members asked for, else the holders of the tokens asked for."""
    usage = query.usage
    if usage.members or not usage.tokens:
        return usage.members
    return sorted(set(Token.objects.filter(pk__in=usage.tokens).values_list("user_id", flat=True)))


def _routes(query: CallQuery) -> list[Q]:
    asked = query.asked
    wanted = {lookup: asked[lookup] for lookup in _ROUTE & set(asked)}
    found = CallRoute.objects.filter(team_id=query.usage.team.pk, **wanted).order_by("pk")
    columns = ("provider", "endpoint", "channel", "stream")
    return [Q(**dict(zip(columns, row, strict=True))) for row in found.values_list(*columns)]
