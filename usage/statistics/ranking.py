"""The ranking: members, tokens or models with their figures, in any order, searched, a page at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.access import Access
from teams.models import Role
from usage.anomalies.shown import Note, Unusual, unusual_in
from usage.parameters.names import NO_TOKEN, NamedToken, Person, people_of, people_with, tokens_with
from usage.quotas.availability import member_levels, token_levels
from usage.quotas.levels import LevelState
from usage.rollups.figures import Figures
from usage.rollups.query import Dimension, UsageQuery
from usage.rollups.reader import SingleCalls
from usage.rollups.statements import CALLS, FULL, KEYS, Depth
from usage.statistics.choices import Filter, filters_of, models_called
from usage.statistics.overview import Ranked, completed, ranking
from usage.statistics.preparation import prepared

PAGE = 25
NAMES = {
    Dimension.MEMBER: gettext_lazy("Member"),
    Dimension.TOKEN: gettext_lazy("Token"),
    Dimension.MODEL: gettext_lazy("Model"),
}
PLURALS = {
    Dimension.MEMBER: gettext_lazy("Members"),
    Dimension.TOKEN: gettext_lazy("API tokens"),
    Dimension.MODEL: gettext_lazy("Models"),
}


class Sort(StrEnum):
    """The columns that a ranking can be sorted by."""

    NAME = "name"
    CALLS = "calls"
    TOKENS = "tokens"
    COST = "cost"
    SHARE = "share"
    CHANGE = "change"
    SUCCESS = "success"
    P95 = "p95"
    QUOTA = "quota"
    ROLE = "role"
    UNUSUAL = "unusual"

    @property
    def begins_ascending(self) -> bool:
        """Names begin with A and roles with the owner, numbers with the most."""
        return self in {Sort.NAME, Sort.ROLE}


# What these sort by is known of a line with a name.
_OF_NAMES = {Sort.NAME, Sort.ROLE, Sort.QUOTA, Sort.UNUSUAL}


@dataclass(frozen=True)
class Order:
    """How a ranking is asked for: what is ranked, by which column, which of them, which page."""

    by: Dimension = Dimension.MEMBER
    sort: Sort = Sort.CALLS
    is_ascending: bool = False
    search: str = ""
    page: int = 1

    @property
    def needs_names(self) -> bool:
        """Whether the names of all lines must be known, not only of those shown: of members also the idle ones are
        listed."""
        return bool(self.search) or self.by is Dimension.MEMBER or self.sort in _OF_NAMES


@dataclass(frozen=True)
class Row:
    """A line of the ranking: a member, a token or a model, and its figures."""

    key: str  # public id or model, as filters write it
    name: str
    detail: str  # whose token it is
    ranked: Ranked
    person: Person | None = None
    by: Dimension = Dimension.MEMBER  # the filter that `key` is a value of
    quota: LevelState | None = None  # None: none can be set, or was not asked for
    note: Note | None = None  # of an unusual episode about it

    @property
    def figures(self) -> Figures:
        return self.ranked.figures

    def matches(self, search: str) -> bool:
        """Whether the text is in its name, its address or its holder's name."""
        texts = [self.name, self.detail, self.person.email if self.person else ""]
        return any(search.casefold() in text.casefold() for text in texts)


@dataclass(frozen=True)
class Ranking:
    """All lines that were asked for, and the page of them that is shown."""

    order: Order
    query: UsageQuery
    paged: Page[tuple[int, Row]]  # the lines that were asked for, with their places
    shown: list[Row]  # those of the page, with what is only worked out for them
    filters: list[Filter]
    unusual: Unusual

    @property
    def what(self) -> str:
        """The head of the column of names."""
        return str(NAMES[self.order.by])

    @property
    def title(self) -> str:
        """`Members by calls`."""
        words = {"what": str(PLURALS[self.order.by]), "column": str(_SORTED_BY[self.order.sort])}
        return _("%(what)s by %(column)s") % words


def ranking_page(query: UsageQuery, order: Order, access: Access, now: datetime) -> Ranking:
    """One page of a ranking; the quotas of its lines only, unless they are sorted by quota."""
    (query,) = prepared([query], now, [order.by])
    single = SingleCalls((order.by,))
    depth, before = _DEPTH.get(order.sort, CALLS), CALLS if order.sort is Sort.CHANGE else KEYS
    ranked = ranking(query, order.by, single, depth, before)
    if order.needs_names:
        rows, people, tokens, unusual = _named(query, order, access, now, ranked)
        if order.sort is Sort.QUOTA:
            rows = with_quotas(query, rows, order.by, now)
        places = [
            (place, row) for place, row in enumerate(_sorted(rows, order), 1) if row.matches(order.search)
        ]
        paged = Paginator(places, PAGE).get_page(order.page)
        shown = [_at(place, row) for place, row in paged]
    else:
        nameless = _sorted([Row("", "", "", one, by=order.by) for one in ranked], order)
        paged = Paginator([*enumerate(nameless, 1)], PAGE).get_page(order.page)
        lines = [_at(place, row).ranked for place, row in paged]
        shown, people, tokens, unusual = _named(query, order, access, now, lines)
    if order.sort is not Sort.QUOTA:
        shown = with_quotas(query, shown, order.by, now)
    whole = completed(query, order.by, [row.ranked for row in shown], single)
    shown = [replace(row, ranked=ranked) for row, ranked in zip(shown, whole, strict=True)]
    filters = filters_of(query, access, people=people, tokens=tokens, models=models_called(query))
    return Ranking(order, query, paged, shown, filters, unusual)


def ranking_rows(
    query: UsageQuery, order: Order, access: Access, now: datetime
) -> tuple[UsageQuery, list[Row]]:
    """All lines of a ranking with their quotas, for an export, and what they are of."""
    (query,) = prepared([query], now, [order.by])
    rows, _people, _tokens, _unusual = _named(query, order, access, now, ranking(query, order.by, depth=FULL))
    rows = _sorted(with_quotas(query, rows, order.by, now), order)
    return query, [_at(place, row) for place, row in enumerate(rows, 1) if row.matches(order.search)]


def _named(
    query: UsageQuery, order: Order, access: Access, now: datetime, ranked: list[Ranked]
) -> tuple[list[Row], dict[int, Person], dict[int, NamedToken], Unusual]:
    """The lines with their names, and what the names came from."""
    is_of_members, keys = order.by is Dimension.MEMBER, [row.key for row in ranked]
    people = people_of(access.team, also=keys) if is_of_members else people_with(access.team, query.members)
    tokens = tokens_with(access.team, keys if order.by is Dimension.TOKEN else query.tokens)
    unusual = unusual_in(query, sees_team=True, now=now, most=None)
    if is_of_members and not query.filtered:
        ranked = _with_idle(ranked, [person.id for person in people.values() if not person.is_former])
    return named_rows(order.by, ranked, people, tokens, unusual), people, tokens, unusual


def named_rows(
    by: Dimension,
    ranked: Iterable[Ranked],
    people: dict[int, Person],
    tokens: dict[int, NamedToken],
    unusual: Unusual,
) -> list[Row]:
    """A line for each of a ranking, in its order, with what is unusual about it."""
    if by is Dimension.MEMBER:
        return member_rows(ranked, people, unusual)
    notes = unusual.about(by)
    if by is Dimension.TOKEN:
        rows = _token_rows(ranked, tokens)
    else:
        rows = [Row(row.key, row.key, "", row, by=Dimension.MODEL) for row in ranked]
    return [replace(row, note=notes[row.key]) if row.key in notes else row for row in rows]


def _with_idle(ranked: list[Ranked], members: Iterable[int]) -> list[Ranked]:
    """The ranking, and below it those who called neither in the period nor in the one before."""
    known = {row.key for row in ranked}
    idle = (member for member in members if member not in known)
    return [*ranked, *(Ranked(0, member, Figures(), Figures(), 0.0) for member in idle)]


def member_rows(ranked: Iterable[Ranked], people: dict[int, Person], unusual: Unusual) -> list[Row]:
    """A line for each member, in the order of `ranked`."""
    notes = unusual.about(Dimension.MEMBER)
    found = ((people[row.key], row) for row in ranked if row.key in people)
    return [
        Row(one.public_id, one.label, "", row, person=one, note=notes.get(one.public_id)) for one, row in found
    ]


def _token_rows(ranked: Iterable[Ranked], tokens: dict[int, NamedToken]) -> list[Row]:
    found = ((tokens.get(row.key), row) for row in ranked)
    return [
        Row(token.public_id, token.name, token.holder, row, by=Dimension.TOKEN)
        if token
        else Row(
            NO_TOKEN, _("Without a token"), _("reported by a gateway for members"), row, by=Dimension.TOKEN
        )
        for token, row in found
    ]


def with_quotas(query: UsageQuery, rows: Sequence[Row], by: Dimension, now: datetime) -> list[Row]:
    """The lines with the quotas of current members, or of tokens: one statement."""
    if by is Dimension.MODEL:
        return list(rows)
    if by is Dimension.MEMBER:
        ids = [row.ranked.key for row in rows if row.person and not row.person.is_former]
        levels = member_levels(query.team, query.mode, ids, now) if ids else {}
    else:
        ids = [row.ranked.key for row in rows if row.ranked.key]
        levels = token_levels(query.team, query.mode, ids, now) if ids else {}
    return [replace(row, quota=levels.get(row.ranked.key)) for row in rows]


_PLACES = {role: place for place, role in enumerate((Role.OWNER, Role.ADMINISTRATOR, Role.MEMBER, ""))}
# What of all lines must be known to sort them; of those shown the rest is read then.
_DEPTH = {
    Sort.TOKENS: Depth(frozenset({"calls", "input_tokens", "output_tokens"})),
    Sort.COST: Depth(frozenset({"calls", "cost_nanos"})),
    Sort.SUCCESS: Depth(frozenset({"calls", "succeeded"})),
    Sort.P95: FULL,
}


_VALUE: dict[Sort, Callable[[Row], Any]] = {
    Sort.NAME: lambda row: row.name.casefold(),
    Sort.CALLS: lambda row: row.figures.calls,
    Sort.TOKENS: lambda row: row.figures.tokens,
    Sort.COST: lambda row: row.figures.cost_nanos,
    Sort.SHARE: lambda row: row.ranked.share,
    Sort.CHANGE: lambda row: row.ranked.change,
    Sort.SUCCESS: lambda row: row.figures.success_rate,
    Sort.P95: lambda row: row.figures.latency.p95,
    Sort.QUOTA: lambda row: row.quota.used_share if row.quota else None,
    Sort.ROLE: lambda row: _PLACES[row.person.role] if row.person else None,
    Sort.UNUSUAL: lambda row: row.note.episode.importance if row.note else None,
}


def _sorted(rows: Sequence[Row], order: Order) -> list[Row]:
    """What is unknown comes last either way, and equal ones stay by calls."""
    value = _VALUE[order.sort]
    known = [row for row in rows if value(row) is not None]
    unknown = [row for row in rows if value(row) is None]
    known.sort(key=value, reverse=not order.is_ascending)
    return [*known, *unknown]


def _at(place: int, row: Row) -> Row:
    return replace(row, ranked=replace(row.ranked, rank=place))


@dataclass(frozen=True)
class Column:
    """A column's head: what it sorts by, and its place in the look."""

    sort: Sort
    label: Any
    css: str


COLUMNS = (
    Column(Sort.ROLE, gettext_lazy("Role"), "col-3"),
    Column(Sort.CALLS, gettext_lazy("Calls"), "num"),
    Column(Sort.TOKENS, gettext_lazy("Tokens"), "num col-3"),
    Column(Sort.COST, gettext_lazy("Cost"), "num col-2"),
    Column(Sort.SHARE, gettext_lazy("Share"), "col-4"),
    Column(Sort.CHANGE, gettext_lazy("Change"), "num col-4"),
    Column(Sort.SUCCESS, gettext_lazy("Success"), "num col-3"),
    Column(Sort.P95, gettext_lazy("p95"), "num col-4"),
    Column(Sort.QUOTA, gettext_lazy("Quota"), ""),
)
_SORTED_BY = {
    Sort.NAME: gettext_lazy("name"),
    Sort.CALLS: gettext_lazy("calls"),
    Sort.TOKENS: gettext_lazy("tokens"),
    Sort.COST: gettext_lazy("cost"),
    Sort.SHARE: gettext_lazy("share of calls"),
    Sort.CHANGE: gettext_lazy("change of calls"),
    Sort.SUCCESS: gettext_lazy("success rate"),
    Sort.P95: gettext_lazy("latency, p95"),
    Sort.QUOTA: gettext_lazy("quota used"),
    Sort.ROLE: gettext_lazy("role"),
    Sort.UNUSUAL: gettext_lazy("how unusual they were"),
}
