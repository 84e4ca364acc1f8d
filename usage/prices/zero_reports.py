"""Finds models whose calls were reported with a cost of $0 although they have a price, perhaps by a sender's
mistake.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from django.db.models import QuerySet, Sum

from usage.prices.models import ZeroReport

# The number of days to look back, including today.
DAYS: Final = 30


class ZeroSum(NamedTuple):
    """The number of a model's calls that were reported with a cost of $0, and what they would have cost by its
    price.
    """

    model: str
    calls: int
    worth_nanos: int


def first_day(today: date) -> date:
    return today - timedelta(days=DAYS - 1)


def zero_reports_of(*, team_id: int, mode: int, today: date) -> list[ZeroSum]:
    """Returns how many calls of a team were reported at $0 although they have a price, and what they would have
    cost, by model, the most expensive first: for the last 30 days of the team's calendar.
    """
    return _sums(ZeroReport.objects.filter(team_id=team_id, mode=mode, day__gte=first_day(today)))


def zero_reports_in(*, models: Iterable[str], mode: int, today: date) -> dict[str, ZeroSum]:
    """Returns how many calls of each of these models were reported at $0 although they have a price, and what
    they would have cost, by model: over all teams, for the last 30 days of each team's calendar.
    """
    found = ZeroReport.objects.filter(day__gte=first_day(today), model__in=list(models), mode=mode)
    return {one.model: one for one in _sums(found)}


def _sums(rows: QuerySet[ZeroReport]) -> list[ZeroSum]:
    summed = rows.values("model").annotate(n=Sum("calls"), worth=Sum("worth_nanos")).order_by("-worth", "model")
    return [ZeroSum(row["model"], row["n"], row["worth"]) for row in summed if row["n"] > 0]
