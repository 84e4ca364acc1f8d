"""Prices calls again that had no known price when they were recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from logs.models import Call
from logs.recording.amend import Amendment, amend_calls
from logs.recording.ids import first_id
from logs.recording.pricing import stored_names, stored_tokens
from teams.actions.checks import require_superuser
from teams.actions.locks import lock_teams
from teams.activity import Actor, record_activity
from teams.errors import ActionError
from teams.models import Team
from usage.prices.models import PricedBy
from usage.prices.money import usd_string
from usage.prices.price_list import PriceList
from usage.rollups.models import DayModel
from usage.rollups.query import Range

# Calls in one transaction, which locks their team for a fraction of a second.
STEP: Final = 500
# The time limit of one run. The next run continues where it stopped.
LONGEST: Final = timedelta(seconds=20)


class Progress(NamedTuple):
    """The position of a run. It continues with calls of this team and mode whose id is less than `before`."""

    team_id: int
    mode: int
    before: UUID


@dataclass
class Repriced:
    """The result of a run: how many calls got a price, their cost, and the ids of their teams.

    `rest` is the position where the next run continues; None if all calls of the period were read.
    """

    calls: int = 0
    cost_nanos: int = 0
    teams: set[int] = field(default_factory=set)
    rest: Progress | None = None


def price_again(
    *,
    by: Actor,
    within: Range,
    now: datetime,
    model: str = "",
    since: Progress | None = None,
    longest: timedelta = LONGEST,
) -> Repriced:
    """Prices the unpriced calls of a period in all teams, by the prices known now.

    `model` restricts it to the calls of one model. Statistics and quota use are updated; calls whose cost was
    reported are not changed. It works in small transactions for at most `longest`; `since` is the `rest` of the
    run that is continued. Each run that priced a call writes one activity row. Raises NotAllowedError, and
    ActionError for a period that ends before it starts.
    """
    require_superuser(by)
    if within.start >= within.end:
        raise ActionError(_("The period ends before it starts."), field="until")
    done, ends_at = Repriced(), monotonic() + longest.total_seconds()
    try:
        for progress in _spaces(within, model, since):
            done.rest = progress
            while done.rest is not None:
                if monotonic() >= ends_at:
                    return done
                done.rest = _step(done.rest, within, model, done, now)
    finally:  # also after an exception: the steps before it are committed
        _tell(by, within, model, done)
    return done


def _spaces(within: Range, model: str, since: Progress | None) -> Iterator[Progress]:
    """Yields the position to start from for each team and mode with unpriced calls, in order.

    With `since`, teams and modes that an earlier run has finished are left out.
    """
    day = timedelta(days=1)  # because days are those of each team's time zone
    first, last = (within.start - day).date(), (within.end + day).date()
    rows = DayModel.objects.filter(day__gte=first, day__lte=last, unpriced__gt=0)
    rows = rows.filter(model=model) if model else rows
    for space in sorted(set(rows.values_list("team_id", "mode"))):
        if since is None or space > since[:2]:
            yield Progress(*space, first_id(within.end))
        elif space == since[:2]:
            yield since


def _step(progress: Progress, within: Range, model: str, done: Repriced, now: datetime) -> Progress | None:
    """Prices the next calls of a team and mode, newest first; returns the position of the next step.

    None: all calls of this team and mode were read.
    """
    with transaction.atomic():
        team = lock_teams([progress.team_id]).get(progress.team_id)
        if team is None or team.deleted_at:
            return None
        calls = _unpriced(progress, within, model)
        prices = PriceList(call.model for call in calls)
        amendments = [one for call in calls if (one := _amendment(call, prices))]
        amend_calls(team=team, mode=progress.mode, amendments=amendments, now=now)
    _count(done, team, amendments)
    return progress._replace(before=calls[-1].id) if len(calls) == STEP else None


def _unpriced(progress: Progress, within: Range, model: str) -> list[Call]:
    """Returns the next unpriced calls, newest first, at most `STEP`. Uses the index `call_unpriced`."""
    calls = Call.objects.filter(
        team_id=progress.team_id,
        mode=progress.mode,
        priced_by=PricedBy.NOTHING,
        id__gte=first_id(within.start),
        id__lt=progress.before,
    )
    return list((calls.filter(model=model) if model else calls).order_by("-id")[:STEP])


def _amendment(call: Call, prices: PriceList) -> Amendment | None:
    priced = prices.price(stored_names(call), call.started_at, stored_tokens(call))
    if priced.by is PricedBy.NOTHING:
        return None
    return Amendment(call, {"cost_nanos": priced.cost_nanos, "priced_by": priced.by.value})


def _count(done: Repriced, team: Team, amendments: list[Amendment]) -> None:
    done.calls += len(amendments)
    done.cost_nanos += sum((one.values or {})["cost_nanos"] for one in amendments)
    if amendments:
        done.teams.add(team.pk)


def _tell(by: Actor, within: Range, model: str, done: Repriced) -> None:
    if done.calls:
        after = {
            "from": within.start.isoformat(),
            "until": within.end.isoformat(),
            "calls": done.calls,
            "teams": len(done.teams),
            "usd": usd_string(done.cost_nanos),
        }
        record_activity(by=by, team=None, kind="price.applied", subject=model or _("all models"), after=after)
