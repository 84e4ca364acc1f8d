"""Calls that were reported at $0 although their tokens have a price, which may be an error of their senders."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from django.db.models import QuerySet, Sum

from usage.prices.models import ZeroReport

# How many days are looked back, today included.
DAYS: Final = 30


class ZeroSum(NamedTuple):
    """The calls of a model that were reported at $0, and their cost by price."""

    model: str
    calls: int
    worth_nanos: int


def first_day(today: date) -> date:
    return today - timedelta(days=DAYS - 1)


def zero_reports_of(*, team_id: int, mode: int, today: date) -> list[ZeroSum]:
    """Those of a team in the last 30 days of its calendar, by model, the most expensive first."""
    return _sums(ZeroReport.objects.filter(team_id=team_id, mode=mode, day__gte=first_day(today)))


def zero_reports_in(*, models: Iterable[str], mode: int, today: date) -> dict[str, ZeroSum]:
    """Those of all teams in the last 30 days, each team's own days, for some models."""
    found = ZeroReport.objects.filter(day__gte=first_day(today), model__in=list(models), mode=mode)
    return {one.model: one for one in _sums(found)}


def _sums(rows: QuerySet[ZeroReport]) -> list[ZeroSum]:
    summed = rows.values("model").annotate(n=Sum("calls"), worth=Sum("worth_nanos")).order_by("-worth", "model")
    return [ZeroSum(row["model"], row["n"], row["worth"]) for row in summed if row["n"] > 0]
