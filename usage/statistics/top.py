"""The ranking panel of the overview page: the five members, tokens or models with most calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from teams.access import Access
from usage.anomalies.shown import ShownAnomalies, anomalies_in
from usage.parameters.names import Person, people_with, tokens_with
from usage.rollups.query import Dimension, Known, UsageQuery
from usage.rollups.statements import CALLS, WITHOUT_TTFT, Depth
from usage.statistics.columns import Column, heads_of
from usage.statistics.overview import Ranked, completed, ranking
from usage.statistics.preparation import prepared
from usage.statistics.ranking import Order
from usage.statistics.rows import PLURALS, Row, named_rows, with_quotas

# How many rows the panel has; the ranking page shows all.
TOP = 5


@dataclass(frozen=True)
class Top:
    """The data of the ranking panel: its rows, and how many members, tokens or models have any calls."""

    by: Dimension
    rows: list[Row]
    active: int
    known: Known | None  # copied from the query: since when single calls are stored

    @property
    def order(self) -> Order:
        return Order(self.by)

    @property
    def heads(self) -> list[tuple[Column, str]]:
        """The columns of the panel, each with its heading."""
        return heads_of(self.by)

    @property
    def plural(self) -> str:
        return str(PLURALS[self.by])


def top_page(query: UsageQuery, access: Access, by: Dimension, now: datetime) -> Top:
    """Returns the ranking panel alone; it is loaded when another tab of the panel is opened."""
    (query,) = prepared([query], now, [by])
    ranked = ranking(query, by, depth=CALLS, before=None)
    people = people_with(access.team, [row.key for row in ranked[:TOP]]) if by is Dimension.MEMBER else {}
    return top_of(query, by, ranked, people, anomalies_in(query, sees_team=access.sees_team, now=now), now)


def top_of(
    query: UsageQuery,
    by: Dimension,
    ranked: Sequence[Ranked],
    people: dict[int, Person],
    anomalies: ShownAnomalies,
    now: datetime,
    depth: Depth = WITHOUT_TTFT,
) -> Top:
    """Returns the ranking panel from rows that are already ranked by calls.

    `people` must contain the members of the first rows, by user id. `depth` says which figures are read for the
    rows.
    """
    first = completed(query, by, ranked[:TOP], depth=depth)
    tokens = tokens_with(query.team, [row.key for row in first]) if by is Dimension.TOKEN else {}
    rows = with_quotas(query, named_rows(by, first, people, tokens, anomalies), by, now)
    return Top(by, rows, sum(row.figures.calls > 0 for row in ranked), query.known)
