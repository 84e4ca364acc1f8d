"""Unusual members: one person, or one key, that suddenly weighs on the whole team. Source: INSIGHT.md d.

A member is compared with their own heaviest hours of the last 28 days, with those of all members while they are
new, and with the size of the team: what is immaterial to the team is not told.
"""

from dataclasses import dataclass

import numpy as np

from usage.unusual.common import DAY, FORTNIGHT, Flags, Floats, Ints, before, fourth_root, trailing

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
    """Of each hour from `since` on and each member, all (T - since, members): how unusual, and its numbers."""

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
    """What is looked at: R rows of counts, of which the last S = T - since are shown."""

    x: Floats  # (R, members)
    shown: int  # row where the shown hours begin, R - S
    t: Ints  # (S, 1): hours the team has been here
    age: Ints  # (S, members): hours since the member's first call


def find_members(counts: Floats, since: int = 0) -> MemberScores:
    """Scores of each member's calls, `counts` (T hours, members) without gaps, for the hours from `since` on.

    Only the 30 days before `since` are computed with; older hours say just how long a member has been here.
    """
    past = _past(np.asarray(counts, float), since)
    x24, x6 = trailing(past.x, 24), trailing(past.x, 6)
    heavy24, heavy6, clock6 = _heavy(past, x24, 24), _heavy(past, x6, 6), _heavy_at_this_hour(past, x6)
    x24, x6 = x24[past.shown :], x6[past.shown :]
    team = _mean(past, past.x.sum(axis=1, keepdims=True), past.t, 0)
    by_day = x24 / (BASE_CALLS + SHARE_24 * 24 * team + heavy24) / DIVISOR_24
    by_clock = x6 / (BASE_CALLS + SHARE_6 * 6 * team + OWN_6 * heavy6 + clock6) / DIVISOR_6
    by_clock = np.where(past.age >= FORTNIGHT, by_clock, 0.0)
    clock = by_clock > by_day
    return MemberScores(
        score=np.where(past.t >= QUIET_HOURS, np.where(clock, by_clock, by_day), 0.0),
        clock=clock,
        found=np.where(clock, x6, x24),
        expected=np.where(clock, clock6, heavy24),
        new=past.age < PEER_DAYS * DAY,
    )


def _past(x: Floats, since: int) -> _Past:
    first = len(x) - np.logical_or.accumulate(x > 0, axis=0).sum(axis=0)
    start = max(since - MEMBER_MEMORY - 2 * DAY, 0)  # the oldest window of 24 h ended 23 h + 28 days ago
    t = np.arange(since, len(x))[:, None]
    return _Past(x[start:], since - start, t, t - first)


def _mean(past: _Past, x: Floats, hours_known: Ints, skip: int) -> Floats:
    """Mean of the 28 days of x (R, ...) that end `skip` hours before t, of the hours that are known: S rows."""
    return before(x, MEMBER_MEMORY, skip, past.shown) / np.clip(hours_known - skip, 1, MEMBER_MEMORY)


def _heavy(past: _Past, window: Floats, width: int) -> Floats:
    """(S, members): a heavy window of the member, and of their peers while new, by the fourth-power mean."""
    fourth = np.square(np.square(window))
    of_own = fourth_root(_mean(past, fourth, past.age, width - 1))
    everybody = fourth.sum(axis=1, keepdims=True) / max(window.shape[1], 1)
    of_peers = fourth_root(_mean(past, everybody, past.t, width - 1))
    days = np.clip(past.age / DAY, 0.0, MEMBER_MEMORY / DAY)
    return np.expm1((days * np.log1p(of_own) + PEER_DAYS * np.log1p(of_peers)) / (days + PEER_DAYS))


def _heavy_at_this_hour(past: _Past, window: Floats) -> Floats:
    """(S, members): the fourth-power mean of the windows that ended at this hour of the day in 28 days."""
    rows, members = window.shape
    days, days_back, shown_day = -(-rows // DAY), MEMBER_MEMORY // DAY, past.shown // DAY
    padded = np.zeros((days * DAY, members))
    padded[:rows] = np.square(np.square(window))
    total = before(padded.reshape(days, DAY, members), days_back, since=shown_day)
    total = total.reshape((days - shown_day) * DAY, members)[past.shown - shown_day * DAY :][: len(past.age)]
    return fourth_root(total / np.clip(past.age // DAY, 1, days_back))
