"""The quotas of a user in all their teams, for the personal page: current use, run-out and past periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from teams.models import Membership, Mode
from usage.quotas.availability import ContextLevels, contexts_of
from usage.quotas.daily import used_by_day
from usage.quotas.history import PastPeriod, past_periods, past_since
from usage.quotas.levels import LevelState
from usage.quotas.runout import pace_of, pace_since, sentences


@dataclass(frozen=True)
class OwnContext:
    """The user's quota in one team or personal space.

    `shown` is the level with the least quota available; if no level has a limit, the first level, which is the
    user's own.
    """

    quota: ContextLevels
    shown: LevelState
    sentences: list[str]
    past: list[PastPeriod]


def own_contexts(memberships: Sequence[Membership], mode: Mode, now: datetime) -> list[OwnContext]:
    """Returns the user's quota in the team of each membership, in the given order: its levels, and the use,
    run-out and past periods of the level with the least available.
    """
    contexts = contexts_of(memberships, mode, now)
    shown = [context.binding or context.levels[0] for context in contexts]
    days = used_by_day({state.key(mode): _since(state, now) for state in shown})
    own = []
    for context, state in zip(contexts, shown, strict=True):
        used = days[state.key(mode)]
        said = sentences(state, pace_of(used, state.zone, now), now)
        own.append(OwnContext(context, state, said, past_periods(state.period, state.zone, used, now)))
    return own


def _since(state: LevelState, now: datetime) -> date:
    """Returns the first day whose use is needed, for the pace or for the past periods."""
    recent, past = pace_since(state.zone, now), past_since(state.period, state.zone, now)
    return recent if past is None else min(recent, past)
