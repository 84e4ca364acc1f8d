"""Changes or removes stored calls together with everything derived from them.

Derived are statistics, quota use, tags and routes. A call is amended when more becomes known about it, such as
its tokens or its price. It is removed when it turns out to be no call, or the same call as another. All derived
data changes in the same transaction, so that `manage.py verify_usage` finds no difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any, Final, NamedTuple

from logs.models import Call
from logs.recording.facts import LocalTimes, fact_of
from logs.recording.indexing import forget_tags, index_calls
from logs.recording.zero_reports import recount_zero_reports
from teams.models import Team
from usage.quotas.charging import Charge, charge_quotas
from usage.rollups.bulk import update_rows
from usage.rollups.folding import replace_calls

# Columns that an amendment must not change: the identity of the call, its time and its caller.
FIXED: Final = frozenset(
    {
        *("team_id", "id", "mode", "request_id", "started_at", "received_at"),
        *("member_id", "token_id", "gateway_key_id", "payer_id"),
    }
)


class Amendment(NamedTuple):
    """One change of a stored call: new values by column name of `Call`, or None to remove the call.

    A change of `status` must include the resulting `outcome`.
    """

    call: Call
    values: Mapping[str, Any] | None


def amend_calls(*, team: Team, mode: int, amendments: Sequence[Amendment], now: datetime) -> None:
    """Changes and removes stored calls of one team and mode, and updates statistics and quota use.

    `amendments` must contain each call at most once. Needs a transaction and the team's lock, and the calls
    must have been read under that lock. A reservation that such a call has settled stays settled.
    """
    charge_quotas(amend_uncharged(team=team, mode=mode, amendments=amendments, now=now))


def amend_uncharged(*, team: Team, mode: int, amendments: Sequence[Amendment], now: datetime) -> list[Charge]:
    """Does what `amend_calls` does, except that it returns the changes of quota use instead of applying them.

    For a transaction that charges the quotas of several teams in one step.
    """
    changed = [(one.call, _amended(one)) for one in amendments if one.values]
    removed = [one.call for one in amendments if one.values is None]
    if not changed and not removed:
        return []
    before = [call for call, _after in changed] + removed
    after = [call for _before, call in changed]
    _write(team, [one for one in amendments if one.values])
    _delete(team, removed)
    _index(team, mode, changed, removed)
    local = LocalTimes(team.zone)
    counted, counts = ([fact_of(call, local) for call in calls] for calls in (before, after))
    replace_calls(team_id=team.pk, mode=mode, before=counted, after=counts, now=now)
    recount_zero_reports(team=team, mode=mode, before=before, after=after)
    return _charges(team, before, after)


_AT_ONCE: Final = 5_000


def _amended(amendment: Amendment) -> Call:
    after = copy(amendment.call)
    for name, value in (amendment.values or {}).items():
        if name in FIXED:
            raise ValueError(f"{name} of a call never changes")
        setattr(after, name, value)
    return after


def _write(team: Team, amendments: Sequence[Amendment]) -> None:
    """Updates the changed columns in the database: one UPDATE for all calls that change the same columns."""
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for call, values in amendments:
        columns = tuple(sorted(values or {}))
        row = (call.id, *((values or {})[name] for name in columns))
        by_columns.setdefault(columns, []).append(row)
    for columns, rows in by_columns.items():
        update_rows(Call, fixed={"team_id": team.pk}, key="id", columns=columns, rows=rows)


def _delete(team: Team, calls: Sequence[Call]) -> None:
    for start in range(0, len(calls), _AT_ONCE):
        ids = [call.id for call in calls[start : start + _AT_ONCE]]
        Call.objects.filter(team_id=team.pk, id__in=ids).delete()


def _index(team: Team, mode: int, changed: Sequence[tuple[Call, Call]], removed: Sequence[Call]) -> None:
    retagged = [before for before, after in changed if set(before.tags) != set(after.tags)]
    forget_tags(team_id=team.pk, mode=mode, calls=[*retagged, *removed])
    index_calls(team_id=team.pk, mode=mode, calls=[(after.id, after) for _before, after in changed])


def _charges(team: Team, before: Sequence[Call], after: Sequence[Call]) -> list[Charge]:
    """Returns the charges that replace the quota use of `before` by that of `after`.

    For each old call a negative charge, for each new one a positive charge.
    """
    spaces = _personal_spaces({call.payer_id for call in before})
    local = LocalTimes(team.zone)
    payer_times = {owner_id: LocalTimes(space.zone) for owner_id, space in spaces.items()}
    return [
        Charge(
            team_id=team.pk,
            mode=call.mode,
            member_id=call.member_id,
            token_id=call.token_id,
            payer_team_id=spaces[call.payer_id].pk,
            day=local(call.started_at)[1],
            payer_day=payer_times[call.payer_id](call.started_at)[1],
            cost_nanos=sign * call.cost_nanos,
            calls=sign,
        )
        for calls, sign in ((before, -1), (after, 1))
        for call in calls
    ]


def _personal_spaces(owner_ids: Iterable[int]) -> dict[int, Team]:
    return {team.owner_id: team for team in Team.objects.filter(owner__in=set(owner_ids), is_personal=True)}
