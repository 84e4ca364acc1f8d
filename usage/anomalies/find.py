"""Finds the anomalies of a team, and caches the result.

A result is computed once for each finished hour, and again after past data changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.core.cache import cache
from django.utils.translation import get_language

from teams.models import Mode, Team, Token, User
from usage.anomalies.candidates import Candidate, find_candidates
from usage.anomalies.causes import Drivers, find_causes
from usage.anomalies.detectors.common import WEEK
from usage.anomalies.episodes import Cause, Episode, importance, merged
from usage.anomalies.reading import EDGES_MS, Hourly, read_hours
from usage.rollups.buckets import day_of, day_start, hour_of
from usage.rollups.cache import past_stamps, process_cache
from usage.rollups.models import Outcome
from usage.rollups.query import Range, local_shift

# Calls are reported a little late, and an hour without its last minutes looks quieter than it was.
GRACE = timedelta(minutes=5)
KEPT = timedelta(hours=3)
REMEMBERED_SECONDS = 600  # how long a process keeps a result in memory before it asks the shared cache again
RECENT_DAYS = 32  # every range within the last month is answered from one window
LONGEST_DAYS = 92  # the longest window: more hours would take too long
MOST_CANDIDATES = 60
_EPISODE_BYTES = 4_000  # approximate size of an episode with its sentence and causes
_VERSION = 3  # version of cached results; raise it when Found or Episode change


@dataclass(frozen=True)
class Found:
    """The anomalies in a window of whole hours."""

    window: Range
    episodes: tuple[Episode, ...]  # most important first
    learning_until: datetime | None  # set while a team is in its first week


def find_anomalies(team: Team, mode: Mode, within: Range, now: datetime) -> Found:
    """Returns the episodes of the window that `window_of` chooses for a range, from the cache if possible.

    Only hours that are over are searched. The window may begin before the range or, if the range is very long,
    after its start.
    """
    return find_anomalies_of_teams([(team, within)], mode, now)[0]


def find_anomalies_of_teams(
    asked: Sequence[tuple[Team, Range]], mode: Mode, now: datetime, stamps: Mapping[int, int] | None = None
) -> list[Found]:
    """Returns the same as `find_anomalies` for several teams, each with its range, in the same order.

    All results that are not in memory are read from the shared cache in one request. `stamps` are the versions
    of the teams' past data that the caller already knows (`usage.rollups.cache`), by team id; missing ones are
    read.
    """
    known = stamps or {}
    known = {**known, **past_stamps({team.pk for team, _within in asked} - known.keys(), mode)}
    windows = [window_of(within, team, now) for team, within in asked]
    keys = [
        _cache_key(team, mode, window, known[team.pk])
        for (team, _within), window in zip(asked, windows, strict=True)
    ]
    minutes = int(now.timestamp()) // REMEMBERED_SECONDS
    remembered = {key: rows[0][0] for key in keys if (rows := process_cache.get((key, minutes)))}
    kept = cache.get_many(others) if (others := [key for key in keys if key not in remembered]) else {}
    answer = []
    for (team, _within), window, key in zip(asked, windows, keys, strict=True):
        found = remembered.get(key) or kept.get(key)
        if not isinstance(found, Found):
            found = _find_out(team, mode, window, key, minutes)
        elif key not in remembered:
            _remember(key, minutes, found)
        answer.append(found)
    return answer


_one_at_a_time = Lock()


def _find_out(team: Team, mode: Mode, window: Range, key: str, minutes: int) -> Found:
    """Computes the episodes of a window and caches them, unless another thread has just done so.

    Only one thread computes at a time: when an hour ends, everybody who opens a page needs the same result, and
    each computation takes some 35 MB. The shared cache is written after the lock is released, because a thread
    that waits for the lock may hold a lock of the cache.
    """
    with _one_at_a_time:
        if rows := process_cache.get((key, minutes)):
            found: Found = rows[0][0]
            return found
        found = compute(team, mode, window)
        _remember(key, minutes, found)
    cache.set(key, found, KEPT.total_seconds())
    return found


def _remember(key: str, minutes: int, found: Found) -> None:
    process_cache.set((key, minutes), [(found,)], more=len(found.episodes) * _EPISODE_BYTES)


def _cache_key(team: Team, mode: Mode, window: Range, stamp: int) -> str:
    """Returns the cache key of a window.

    It contains the version of the team's past data (its stamp), so a result is not used after past data
    changed. The creation time of the team protects against a recreated database.
    """
    return ":".join(
        [
            f"unusual{_VERSION}",
            f"{team.pk}",
            f"{team.created_at:%Y%m%dT%H%M%S%f}",
            f"{mode.value}",
            team.time_zone.replace("/", "."),
            f"{window.start:%Y%m%dT%H%M}-{window.end:%Y%m%dT%H%M}",
            f"{stamp}",
            get_language() or "",
        ]
    )


def window_of(within: Range, team: Team, now: datetime) -> Range:
    """Returns the window of hours that is searched for anomalies in a range.

    Many ranges share a window, so pages share cached results. It is the last 32 days up to the last finished
    hour, if that contains the start of the range. Otherwise it consists of whole months of the team's calendar
    around the range, or around the last three months of a longer range.
    """
    finished = hour_of(now - GRACE, team.zone)
    recent = day_start(day_of(local_shift(finished, -RECENT_DAYS, team.zone), team.zone), team.zone)
    if within.start >= recent:
        return Range(recent, finished)
    first = max(within.start, within.end - timedelta(days=LONGEST_DAYS))
    start, end = day_of(first, team.zone).replace(day=1), day_of(within.end, team.zone)
    after = (end.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Range(day_start(start, team.zone), min(day_start(after, team.zone), finished))


def compute(team: Team, mode: Mode, window: Range) -> Found:
    """Reads the rollups and finds the episodes of a window, in a dozen SQL statements for any length."""
    if window.start >= window.end:
        return Found(window, (), None)
    hourly = read_hours(team, mode, window)
    candidates = sorted(find_candidates(hourly), key=lambda one: -importance(one.score, one.weight))
    candidates = candidates[:MOST_CANDIDATES]
    drivers = find_causes(team, mode, hourly, candidates)
    names = _names(candidates, drivers)
    episodes = [_episode(hourly, *pair, names) for pair in zip(candidates, drivers, strict=True)]
    return Found(window, tuple(merged(episodes)), _learning_until(hourly))


def _learning_until(hourly: Hourly) -> datetime | None:
    """Returns when the first week of a team ends; None if it is over, or if there are no calls."""
    first = hourly.first_call
    if first is None or len(hourly.hours) - first >= WEEK:
        return None
    return hourly.instant(first) + timedelta(hours=WEEK)


# --- From indexes and ids to times and names ------------------------------------------------------


@dataclass(frozen=True)
class _Names:
    members: Mapping[int, User]
    tokens: Mapping[int, Token]

    @property
    def labels(self) -> dict[int, str]:
        return {pk: user.label for pk, user in self.members.items()}


def _names(candidates: Sequence[Candidate], drivers: Sequence[Drivers]) -> _Names:
    cells = [(named.dimension, named.cell) for one in drivers for named in one.named]
    members = {cell for dimension, cell in cells if dimension == "member"}
    members |= {one.member_id for one in candidates if one.member_id}
    tokens = {cell for dimension, cell in cells if dimension == "token"}
    return _Names(
        User.objects.in_bulk(members) if members else {},
        Token.objects.in_bulk(tokens) if tokens else {},
    )


def _episode(hourly: Hourly, one: Candidate, drivers: Drivers, names: _Names) -> Episode:
    within = Range(hourly.instant(one.start), hourly.instant(one.end))
    causes = _causes(drivers, names)
    return Episode(
        kind=one.kind,
        start=within.start,
        end=within.end,
        peak=hourly.instant(one.peak),
        score=one.score,
        importance=importance(one.score, one.weight),
        sentence=one.sentence(names.labels),
        whole=within,
        told=Range(*(hourly.instant(place) for place in one.told)),
        causes=causes,
        spread=drivers.spread,
        member_id=one.member_id,
        member=names.members[one.member_id].public_id if one.member_id else "",
        slower_than_ms=int(EDGES_MS[one.edge]) if one.edge else 0,
        is_lack=one.is_lack,
    )


def _causes(drivers: Drivers, names: _Names) -> tuple[Cause, ...]:
    found = []
    for named in drivers.named:
        key = label = str(named.cell)
        if named.dimension == "member":
            user = names.members.get(named.cell)
            if user is None:
                continue
            key, label = user.public_id, user.label
        elif named.dimension == "token":
            token = names.tokens.get(named.cell)
            if token is None:  # the token was deleted
                continue
            key, label = token.public_id, token.name
        elif named.dimension == "outcome":
            outcome = Outcome(named.cell)
            key, label = outcome.word, str(outcome.label)
        found.append(Cause(named.dimension, key, label, named.share, named.cell))
    return tuple(found)
