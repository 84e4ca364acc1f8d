"""Defines the large incidents of the demo and their days; charts and anomalies show them."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from logs.demo.people import INTERPRETERS, RESEARCH, SPEECH, TeamPlan

# The member whose script called in a loop, and the name of the token that it used.
RUNAWAY_PERSON, RUNAWAY_APP = "tomasz.wisniewski@example.org", "notebook"


class Kind(Enum):
    RUNAWAY = "a script that calls in a loop"
    OUTAGE = "no calls get through at all"
    SLOW = "answers take longer"
    ERRORS = "the provider is overloaded"
    THROTTLED = "the provider's limit is reached"


@dataclass(frozen=True)
class Incident:
    """A large incident in one team, from `start` to `end`.

    `strength` is the number of calls an hour (RUNAWAY), the factor by which calls are slower (SLOW), or the
    share of calls that fail (ERRORS, THROTTLED).
    """

    kind: Kind
    team: str
    start: datetime
    end: datetime
    strength: float = 0.0
    provider: str = ""
    person: str = ""
    app: str = ""


def incidents_until(now: datetime) -> tuple[Incident, ...]:
    """Returns all incidents of the 90 days up to `now` (aware), each on a workday of its team."""
    return (
        _on(now, RESEARCH, 4, (10, 15), (12, 0), Kind.ERRORS, strength=0.38, provider="anthropic"),
        _on(
            now,
            RESEARCH,
            9,
            (14, 5),
            (16, 40),
            Kind.RUNAWAY,
            strength=1100,
            person=RUNAWAY_PERSON,
            app=RUNAWAY_APP,
        ),
        _on(now, RESEARCH, 23, (0, 0), (23, 59), Kind.SLOW, strength=2.4),
        _on(now, RESEARCH, 34, (10, 0), (13, 0), Kind.OUTAGE),
        _on(now, SPEECH, 6, (9, 0), (12, 30), Kind.THROTTLED, strength=0.45, provider="openai"),
        _on(now, SPEECH, 48, (13, 0), (16, 0), Kind.OUTAGE),
        _on(now, INTERPRETERS, 15, (11, 0), (15, 0), Kind.ERRORS, strength=0.5, provider="mistral"),
    )


def _on(
    now: datetime,
    team: TeamPlan,
    days_ago: int,
    begins: tuple[int, int],
    ends: tuple[int, int],
    kind: Kind,
    *,
    strength: float = 0.0,
    provider: str = "",
    person: str = "",
    app: str = "",
) -> Incident:
    """Returns an incident between two times of the local day that was `days_ago` days ago; of the Friday
    before, if that was a weekend day.
    """
    zone = ZoneInfo(team.time_zone)
    day = now.astimezone(zone).date() - timedelta(days=days_ago)
    day -= timedelta(days=max(0, day.weekday() - 4))
    start, end = (datetime.combine(day, time(*at), zone).astimezone(UTC) for at in (begins, ends))
    return Incident(kind, team.slug, start, end, strength, provider, person, app)
