"""Counts calls that were reported at $0 although their tokens have a price.

The counts are rows of `usage.prices.models.ZeroReport`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from logs.models import Call
from logs.recording.facts import LocalTimes
from logs.recording.pricing import stored_worth
from teams.models import Team
from usage.prices.models import PricedBy, ZeroReport
from usage.prices.price_list import PriceList
from usage.rollups.bulk import add_up


class ZeroCall(NamedTuple):
    """A call that was reported at $0, and its price in nano-dollars. `sign` 1 adds it, -1 subtracts it."""

    day: date
    model: str
    worth_nanos: int
    sign: int = 1


def count_zero_reports(*, team_id: int, mode: int, calls: Iterable[ZeroCall]) -> None:
    """Adds calls to the daily counts of calls reported at $0, or subtracts them. Needs the team's lock."""
    sums: defaultdict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for call in calls:
        of_model = sums[call.day, call.model]
        of_model[0] += call.sign
        of_model[1] += call.sign * call.worth_nanos
    rows = [(team_id, mode, *key, *sums[key]) for key in sorted(sums)]
    if rows:
        keys = ("team_id", "mode", "day", "model")
        add_up(ZeroReport, keys=keys, added=("calls", "worth_nanos"), replaced=(), rows=rows)


def recount_zero_reports(*, team: Team, mode: int, before: Sequence[Call], after: Sequence[Call]) -> None:
    """Updates the daily counts of calls reported at $0 after calls changed. Needs the team's lock.

    Subtracts the calls as they were (`before`) and adds them as they are now (`after`).
    """
    local = LocalTimes(team.zone)
    signed = [(call, -1) for call in before if _is_zero(call)] + [(call, 1) for call in after if _is_zero(call)]
    if signed:
        prices = PriceList(call.model for call, _sign in signed)
        worth = [(call, sign, stored_worth(call, prices)) for call, sign in signed]
        calls = [
            ZeroCall(local(call.started_at)[1], call.model, nanos, sign) for call, sign, nanos in worth if nanos
        ]
        count_zero_reports(team_id=team.pk, mode=mode, calls=calls)


def _is_zero(call: Call) -> bool:
    return call.priced_by == PricedBy.REPORT and call.cost_nanos == 0
