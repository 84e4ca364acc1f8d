"""Charges calls to each quota level (token, member, team, owner), in the transaction that stores the calls."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from usage.quotas.levels import levels_in_team
from usage.quotas.models import Level, QuotaUse
from usage.rollups.bulk import add_up


@dataclass(frozen=True)
class Charge:
    """The cost of a call, and the quota levels that it is charged to.

    `day` is the date in the team's time zone, `payer_day` the date in that of the payer's personal space. A
    negative cost and `calls` of -1 take a charge back.
    """

    team_id: int
    mode: int
    member_id: int
    token_id: int  # 0: reported for a member without a token
    payer_team_id: int  # the personal space of the owner who pays
    day: date
    payer_day: date
    cost_nanos: int
    calls: int = 1


_KEYS = ("team_id", "mode", "level", "subject_id", "day")


def charge_quotas(charges: Iterable[Charge]) -> None:
    """Adds the costs to the use of token, member, team and owner's balance, even if that exceeds a limit."""
    sums: dict[tuple[int, int, int, int, date], tuple[int, int]] = {}
    for charge in charges:
        for key in _levels(charge):
            calls, nanos = sums.get(key, (0, 0))
            sums[key] = (calls + charge.calls, nanos + charge.cost_nanos)
    rows = [(*key, *sums[key]) for key in sorted(sums) if any(sums[key])]
    add_up(QuotaUse, keys=_KEYS, added=("calls", "used_nanos"), replaced=(), rows=rows)
    for row in rows:
        if row[-2] < 0:
            QuotaUse.objects.filter(**dict(zip(_KEYS, row, strict=False)), calls=0).delete()


def _levels(charge: Charge) -> list[tuple[int, int, int, int, date]]:
    team, mode = charge.team_id, charge.mode
    own = levels_in_team(charge.member_id, charge.token_id)
    levels = [(team, mode, level, subject, charge.day) for level, subject in own]
    return [*levels, (charge.payer_team_id, mode, Level.OWNER.value, 0, charge.payer_day)]
