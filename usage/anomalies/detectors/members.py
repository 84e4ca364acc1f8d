"""Detects unusual members: one person, or one key, whose calls suddenly dominate the team.

A member is compared with their own heaviest hours of the last 28 days, with those of all members while they are
new, and with the size of the team. A change that is small for the team raises no alarm.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from usage.anomalies.detectors.common import (
    ALARM,
    DAY,
    FORTNIGHT,
    Flags,
    Floats,
    Ints,
    before,
    fourth_root,
    trailing,
)

MEMBER_MEMORY = 28 * DAY
QUIET_HOURS = 72  # in the first hours of a team nobody is scored: usual days are not known yet
PEER_DAYS = 2.0  # the weight of the peers' past, in days of a member's own past
BASE_CALLS = 20.0  # fewer calls do not matter
SHARE_24, SHARE_6 = 0.05, 0.02  # part of the team's usual use below which a change does not matter
OWN_6 = 0.15  # part of the member's heaviest 6 h that is added to the usual value of the hour of the day
DIVISOR_24, DIVISOR_6 = 2.9, 3.5  # measured: about 0.06 false alarms per team and week
SPANS = np.array([24, 6], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class MemberScores:
    """The scores of each member in each hour from `since` on; all arrays are (T - since, members).

    `score` and `expected` are 0 for members whose calls are too few to matter.
    """

    score: Floats  # an alarm if >= 1
    clock: Flags  # True: 6 h compared with this time of day; False: 24 h compared with a busy day
    found: Floats  # calls in that window of 6 or 24 h
    expected: Floats  # calls in a heavy window of the member, or of all members while the member is new
    new: Flags  # whether the past of all members still weighs more than the member's own past

    @property
    def spans(self) -> Ints:
        """The window length in hours (24 or 6) for each hour and member."""
        spans: Ints = SPANS[self.clock.astype(int)]
        return spans


@dataclass(frozen=True, slots=True)
class _Past:
    """The data that scores are computed from: R rows (hours) of windows, for some members.

    The last S = T - since rows are the hours to score.
    """

    x24: Floats  # (R, members): calls in the 24 h up to each hour
    x6: Floats
    peers24: Floats  # (R, 1): the mean of the fourth powers of all members' windows
    peers6: Floats
    shown: int  # row where the shown hours begin, R - S
    t: Ints  # (S, 1): hours since the team's first call
    age: Ints  # (S, members): hours since the member's first call

    def of(self, members: NDArray[np.intp]) -> "_Past":
        """Returns the same data for only these members; peers are still all members."""
        return replace(self, x24=self.x24[:, members], x6=self.x6[:, members], age=self.age[:, members])


def find_members(counts: Floats, since: int = 0) -> MemberScores:
    """Scores each member's calls for the hours from `since` on.

    `counts` has the shape (T hours, members), without gaps. Only the 30 days before `since` are used in full;
    older hours only say how long a member has been active. Members with too few calls to matter for the team
    are skipped.
    """
    x, past = _past(np.asarray(counts, float), since)
    team = _mean(past, x.sum(axis=1, keepdims=True), past.t, 0)
    least24, least6 = BASE_CALLS + SHARE_24 * 24 * team, BASE_CALLS + SHARE_6 * 6 * team
    x24, x6 = past.x24[past.shown :], past.x6[past.shown :]
    possible = (x24 >= ALARM * DIVISOR_24 * least24) | (x6 >= ALARM * DIVISOR_6 * least6)
    possible &= past.t >= QUIET_HOURS
    some = np.flatnonzero(possible.any(axis=0))
    score, expected, clock = np.zeros(x24.shape), np.zeros(x24.shape), np.zeros(x24.shape, dtype=bool)
    if len(some):
        scores = _scores(past.of(some), least24, least6)
        score[:, some], expected[:, some], clock[:, some] = (
            np.where(possible[:, some], one, 0) for one in scores
        )
    return MemberScores(score, clock, np.where(clock, x6, x24), expected, past.age < PEER_DAYS * DAY)


def _scores(past: _Past, least24: Floats, least6: Floats) -> tuple[Floats, Floats, Flags]:
    """Returns score, expected calls, and whether the 6-hour window decided.

    Each is an array (S, members): one value for each hour to score and each member.
    """
    heavy24, heavy6 = _heavy(past, past.x24, past.peers24, 24), _heavy(past, past.x6, past.peers6, 6)
    clock6 = _heavy_at_this_hour(past, past.x6)
    by_day = past.x24[past.shown :] / (least24 + heavy24) / DIVISOR_24
    by_clock = past.x6[past.shown :] / (least6 + OWN_6 * heavy6 + clock6) / DIVISOR_6
    by_clock = np.where(past.age >= FORTNIGHT, by_clock, 0.0)
    clock = by_clock > by_day
    return np.where(clock, by_clock, by_day), np.where(clock, clock6, heavy24), clock


def _past(x: Floats, since: int) -> tuple[Floats, _Past]:
    """Returns the hourly calls used in the computation, (R, members), and the data for the scores."""
    called = x > 0
    first = np.where(called.any(axis=0), called.argmax(axis=0), len(x)) if len(x) else np.zeros(x.shape[1], int)
    start = max(since - MEMBER_MEMORY - 2 * DAY, 0)  # the oldest window of 24 h ended 23 h + 28 days ago
    t = np.arange(since, len(x))[:, None]
    rows = x[start:]
    x24, x6 = trailing(rows, 24), trailing(rows, 6)
    peers24, peers6 = (_fourth(window).sum(axis=1, keepdims=True) / max(x.shape[1], 1) for window in (x24, x6))
    return rows, _Past(x24, x6, peers24, peers6, since - start, t, t - first)


def _fourth(x: Floats) -> Floats:
    return np.square(np.square(x))


def _mean(past: _Past, x: Floats, hours_known: Ints, skip: int) -> Floats:
    """Returns the mean of x (R, ...) over the 28 days that end `skip` hours before each hour to score (S rows).

    If fewer hours are known (`hours_known`), the mean is over those.
    """
    return before(x, MEMBER_MEMORY, skip, past.shown) / np.clip(hours_known - skip, 1, MEMBER_MEMORY)


def _heavy(past: _Past, window: Floats, peers: Floats, width: int) -> Floats:
    """Returns how many calls a heavy window of each member has, for each hour to score: (S, members)."""
    of_own = fourth_root(_mean(past, _fourth(window), past.age, width - 1))
    of_peers = fourth_root(_mean(past, peers, past.t, width - 1))
    days = np.clip(past.age / DAY, 0.0, MEMBER_MEMORY / DAY)
    return np.expm1((days * np.log1p(of_own) + PEER_DAYS * np.log1p(of_peers)) / (days + PEER_DAYS))


def _heavy_at_this_hour(past: _Past, window: Floats) -> Floats:
    """Returns the fourth-power mean of each member's windows that ended at this hour of the day; (S, members).

    The windows of the last 28 days count.
    """
    rows, members = window.shape
    days, days_back, shown_day = -(-rows // DAY), MEMBER_MEMORY // DAY, past.shown // DAY
    padded = np.zeros((days * DAY, members))
    padded[:rows] = _fourth(window)
    total = before(padded.reshape(days, DAY, members), days_back, since=shown_day)
    total = total.reshape((days - shown_day) * DAY, members)[past.shown - shown_day * DAY :][: len(past.age)]
    return fourth_root(total / np.clip(past.age // DAY, 1, days_back))
