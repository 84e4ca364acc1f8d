"""The ranking page: members, tokens or models with their figures, sorted by any column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _

from teams.access import Access
from usage.anomalies.shown import ShownAnomalies, anomalies_in
from usage.parameters.names import NamedToken, Person, people_of, people_with, tokens_with
from usage.rollups.figures import Figures
from usage.rollups.query import Dimension, UsageQuery
from usage.rollups.reader import SingleCalls
from usage.rollups.statements import FULL
from usage.statistics.choices import Filter, filters_of, models_called
from usage.statistics.columns import COLUMNS, DEFAULT, Column, heads_of
from usage.statistics.overview import Ranked, completed, ranking
from usage.statistics.preparation import prepared
from usage.statistics.rows import PLURALS, Row, named_rows, with_quotas

PAGE = 25


@dataclass(frozen=True)
class Order:
    """What a ranking page was asked for: dimension, column to sort by, search text and page number."""

    by: Dimension = Dimension.MEMBER
    sort: str = DEFAULT
    is_ascending: bool = False
    search: str = ""
    page: int = 1

    @property
    def column(self) -> Column:
        """The column to sort by."""
        return COLUMNS[self.sort]

    @property
    def needs_names(self) -> bool:
        """Whether the names of all rows must be read, not only those of the shown page.

        They are needed for a search, for columns such as role and quota that only named rows have, and always
        for members, because members without calls are listed too.
        """
        return bool(self.search) or self.by is Dimension.MEMBER or self.column.needs_names


@dataclass(frozen=True)
class Ranking:
    """The data of a ranking page: all matching rows, the rows of the shown page, filters and anomalies."""

    order: Order
    query: UsageQuery
    paged: Page[tuple[int, Row]]  # the requested page of rows, each with its rank
    shown: list[Row]  # the rows of that page, with names, quotas and all figures
    filters: list[Filter]
    anomalies: ShownAnomalies

    @property
    def heads(self) -> list[tuple[Column, str]]:
        """The columns that are shown, each with its heading."""
        return heads_of(self.order.by)

    @property
    def title(self) -> str:
        """The title of the page, for example `Members by calls`."""
        words = {"what": str(PLURALS[self.order.by]), "column": str(self.order.column.title)}
        return _("%(what)s by %(column)s") % words


def ranking_page(query: UsageQuery, order: Order, access: Access, now: datetime) -> Ranking:
    """Returns one page of a ranking.

    Quotas are read only for the rows of the page, unless the ranking is sorted by quota.
    """
    (query,) = prepared([query], now, [order.by])
    single = SingleCalls((order.by,))
    ranked = ranking(query, order.by, single, order.column.depth, order.column.before)
    if order.needs_names:
        rows, people, tokens, anomalies = _named(query, order, access, now, ranked)
        if order.column.needs_quotas:
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
        shown, people, tokens, anomalies = _named(query, order, access, now, lines)
    if not order.column.needs_quotas:
        shown = with_quotas(query, shown, order.by, now)
    whole = completed(query, order.by, [row.ranked for row in shown], single)
    shown = [replace(row, ranked=ranked) for row, ranked in zip(shown, whole, strict=True)]
    filters = filters_of(query, access, people=people, tokens=tokens, models=models_called(query))
    return Ranking(order, query, paged, shown, filters, anomalies)


def ranking_rows(
    query: UsageQuery, order: Order, access: Access, now: datetime
) -> tuple[UsageQuery, list[Row]]:
    """Returns the prepared query of a ranking and all its matching rows with their quotas, for an export."""
    (query,) = prepared([query], now, [order.by])
    rows, _people, _tokens, _unusual = _named(query, order, access, now, ranking(query, order.by, depth=FULL))
    rows = _sorted(with_quotas(query, rows, order.by, now), order)
    return query, [_at(place, row) for place, row in enumerate(rows, 1) if row.matches(order.search)]


def _named(
    query: UsageQuery, order: Order, access: Access, now: datetime, ranked: list[Ranked]
) -> tuple[list[Row], dict[int, Person], dict[int, NamedToken], ShownAnomalies]:
    """Returns the rows with their names, and the people, tokens and anomalies that were read for this."""
    is_of_members, keys = order.by is Dimension.MEMBER, [row.key for row in ranked]
    people = people_of(access.team, also=keys) if is_of_members else people_with(access.team, query.members)
    tokens = tokens_with(access.team, keys if order.by is Dimension.TOKEN else query.tokens)
    anomalies = anomalies_in(query, sees_team=True, now=now, most=None)
    if is_of_members and not query.filtered:
        ranked = _with_idle(ranked, [person.id for person in people.values() if not person.is_former])
    return named_rows(order.by, ranked, people, tokens, anomalies), people, tokens, anomalies


def _with_idle(ranked: list[Ranked], members: Iterable[int]) -> list[Ranked]:
    """Returns the ranking followed by the members who had no calls in the period nor in the previous one."""
    known = {row.key for row in ranked}
    idle = (member for member in members if member not in known)
    return [*ranked, *(Ranked(0, member, Figures(), Figures(), 0.0) for member in idle)]


def _sorted(rows: Sequence[Row], order: Order) -> list[Row]:
    """Sorts the rows by the chosen column.

    Unknown values come last in both directions; rows with equal values stay sorted by calls.
    """
    value = order.column.value
    known = [row for row in rows if value(row) is not None]
    unknown = [row for row in rows if value(row) is None]
    known.sort(key=value, reverse=not order.is_ascending)
    return [*known, *unknown]


def _at(place: int, row: Row) -> Row:
    return replace(row, ranked=replace(row.ranked, rank=place))
