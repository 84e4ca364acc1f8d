"""Unusual members: one person, or one key, that suddenly weighs on the whole team. Source: INSIGHT.md d.

A member is compared with their own heaviest hours of the last 28 days, with those of all members while they are
new, and with the size of the team: what is immaterial to the team is not told.
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
QUIET_HOURS = 72  # of the team: before that nobody has a usual day
PEER_DAYS = 2.0  # how many days of a member's own past the peers' past weighs
BASE_CALLS = 20.0  # fewer interest nobody
SHARE_24, SHARE_6 = 0.05, 0.02  # of the team's usual use: less is immaterial
OWN_6 = 0.15  # of the member's heaviest 6 h, beside what the hour of the day usually has
DIVISOR_24, DIVISOR_6 = 2.9, 3.5  # measured: about 0.06 false alarms a week in a whole team
SPANS = np.array([24, 6], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class MemberScores:
    """Of each hour from `since` on and each member, all (T - since, members): how unusual, and its numbers.

    Where nobody could be unusual, however little they usually call, `score` and `expected` are 0.
    """

    score: Floats  # alarm at >= 1
    clock: Flags  # True: 6 h against this time of day; False: 24 h against a busy day
    found: Floats  # calls in that window
    expected: Floats  # what a heavy such window has: the member's own, or while they are new the peers'
    new: Flags  # the peers' days still weigh more than the member's own

    @property
    def spans(self) -> Ints:
        """Hours of the window of each hour and member."""
        spans: Ints = SPANS[self.clock.astype(int)]
        return spans


@dataclass(frozen=True, slots=True)
class _Past:
    """What is looked at: R rows of windows, of which the last S = T - since are shown, of some members."""

    x24: Floats  # (R, members): calls in the 24 h up to each hour
    x6: Floats
    peers24: Floats  # (R, 1): the mean of the fourth powers of all members' windows
    peers6: Floats
    shown: int  # row where the shown hours begin, R - S
    t: Ints  # (S, 1): hours the team has been here
    age: Ints  # (S, members): hours since the member's first call

    def of(self, members: NDArray[np.intp]) -> "_Past":
        """Of these members only; their peers stay all."""
        return replace(self, x24=self.x24[:, members], x6=self.x6[:, members], age=self.age[:, members])


def find_members(counts: Floats, since: int = 0) -> MemberScores:
    """Scores of each member's calls, `counts` (T hours, members) without gaps, for the hours from `since` on.

    Only the 30 days before `since` are computed with; older hours say just how long a member has been here. And
    only members with so many calls that the team's share alone does not rule them out: that is a few.
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
    """Score, expected calls, and by which window, of each hour and member of `past`, (S, members)."""
    heavy24, heavy6 = _heavy(past, past.x24, past.peers24, 24), _heavy(past, past.x6, past.peers6, 6)
    clock6 = _heavy_at_this_hour(past, past.x6)
    by_day = past.x24[past.shown :] / (least24 + heavy24) / DIVISOR_24
    by_clock = past.x6[past.shown :] / (least6 + OWN_6 * heavy6 + clock6) / DIVISOR_6
    by_clock = np.where(past.age >= FORTNIGHT, by_clock, 0.0)
    clock = by_clock > by_day
    return np.where(clock, by_clock, by_day), np.where(clock, clock6, heavy24), clock


def _past(x: Floats, since: int) -> tuple[Floats, _Past]:
    """The rows of calls that are computed with, (R, members), and what is known of them."""
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
    """Mean of the 28 days of x (R, ...) that end `skip` hours before t, of the hours that are known: S rows."""
    return before(x, MEMBER_MEMORY, skip, past.shown) / np.clip(hours_known - skip, 1, MEMBER_MEMORY)


def _heavy(past: _Past, window: Floats, peers: Floats, width: int) -> Floats:
    """(S, members): a heavy window of the member, and of their peers while new, by the fourth-power mean."""
    of_own = fourth_root(_mean(past, _fourth(window), past.age, width - 1))
    of_peers = fourth_root(_mean(past, peers, past.t, width - 1))
    days = np.clip(past.age / DAY, 0.0, MEMBER_MEMORY / DAY)
    return np.expm1((days * np.log1p(of_own) + PEER_DAYS * np.log1p(of_peers)) / (days + PEER_DAYS))


def _heavy_at_this_hour(past: _Past, window: Floats) -> Floats:
    """(S, members): the fourth-power mean of the windows that ended at this hour of the day in 28 days."""
    rows, members = window.shape
    days, days_back, shown_day = -(-rows // DAY), MEMBER_MEMORY // DAY, past.shown // DAY
    padded = np.zeros((days * DAY, members))
    padded[:rows] = _fourth(window)
    total = before(padded.reshape(days, DAY, members), days_back, since=shown_day)
    total = total.reshape((days - shown_day) * DAY, members)[past.shown - shown_day * DAY :][: len(past.age)]
    return fourth_root(total / np.clip(past.age // DAY, 1, days_back))
