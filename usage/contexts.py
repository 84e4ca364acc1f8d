"""One's own contexts as the personal page tells them: levels, sentences, past periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from teams.models import Membership, Mode
from usage.levels import LevelState
from usage.past import Asked, PastPeriod, past_periods
from usage.quotas import ContextLevels, contexts_of
from usage.runout import paces, sentences


@dataclass(frozen=True)
class OwnContext:
    """One context. `shown` is the level that binds, or without any limit one's own use there."""

    quota: ContextLevels
    shown: LevelState
    sentences: list[str]
    past: list[PastPeriod]


def own_contexts(memberships: Sequence[Membership], mode: Mode, now: datetime) -> list[OwnContext]:
    """Each of a user's places, in that order: four queries."""
    contexts = contexts_of(memberships, mode, now)
    shown = [context.binding or context.levels[0] for context in contexts]
    pace = paces(shown, mode, now)
    past = past_periods([Asked(state.key(mode), state.period, state.zone) for state in shown], now)
    return [
        OwnContext(context, state, sentences(state, per_day, now), before)
        for context, state, per_day, before in zip(contexts, shown, pace, past, strict=True)
    ]
