"""Makes the sources of the demo's calls: one source for each token, with its share of the calls."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from logs.demo.catalogue import APPS, LAPTOP, App
from logs.demo.incidents import RUNAWAY_APP, RUNAWAY_PERSON
from logs.demo.people import PERSONAL_GROWTH, TEAMS, Person, TeamPlan, everybody, home_zone
from teams.models import Mode

_MOST_LIVE_TOKENS = 3


@dataclass(frozen=True)
class Source:
    """One member's use of one app in one team or personal space, with a token of its own. `team` is a slug, ""
    for the personal space.

    `number` identifies the source and seeds its randomness. `weight` is relative to the other sources of the
    team. `clumsiness` multiplies the app's share of failures.
    """

    number: int
    team: str
    email: str
    app: App
    zone: str
    growth: float
    weight: float
    clumsiness: float
    ip: str
    joined_days_ago: int | None = None
    left_days_ago: int | None = None

    @property
    def context(self) -> str:
        """The key by which calls are grouped: the team's slug, or the e-mail address of a personal space's
        owner.
        """
        return self.team or self.email


def make_sources(seed: int) -> list[Source]:
    """Returns all sources in a fixed order, those of one team together."""
    rng = np.random.default_rng([seed, 0])
    members = [_member_sources(rng, plan, person) for plan in TEAMS for person in plan.people]
    personal = [[_personal_source(rng, email)] for email in everybody()]
    found = [source for sources in (*members, *personal) for source in sources]
    return [replace(source, number=number) for number, source in enumerate(found, start=1)]


def _member_sources(rng: np.random.Generator, plan: TeamPlan, person: Person) -> list[Source]:
    """Returns the sources of one member of a team, one for each app. Weights are lognormal, so that a few
    members make most of the calls.
    """
    eagerness, clumsiness = rng.lognormal(0, 0.85), rng.lognormal(-0.1, 0.5)
    return [
        Source(
            number=0,
            team=plan.slug,
            email=person.email,
            app=app,
            zone=plan.time_zone,
            growth=plan.growth,
            weight=eagerness * app.weight * rng.lognormal(0, 0.4),
            clumsiness=clumsiness,
            ip=_address(rng, app),
            joined_days_ago=person.joined_days_ago,
            left_days_ago=person.left_days_ago,
        )
        for app in _apps_of(rng, plan, person)
    ]


def _personal_source(rng: np.random.Generator, email: str) -> Source:
    return Source(
        number=0,
        team="",
        email=email,
        app=LAPTOP,
        zone=home_zone(email),
        growth=PERSONAL_GROWTH,
        weight=rng.lognormal(0, 1),
        clumsiness=1.0,
        ip=_address(rng, LAPTOP),
    )


def _apps_of(rng: np.random.Generator, plan: TeamPlan, person: Person) -> Iterator[App]:
    """Yields the apps that a member uses: the team's first app, and some of the others, with at most three live
    tokens.
    """
    first = APPS[plan.slug][0]
    live = 0
    for app in APPS[plan.slug]:
        needed = app is first or (person.email, app.name) == (RUNAWAY_PERSON, RUNAWAY_APP)
        wanted = rng.random() < 0.4
        if needed or (wanted and (app.mode is Mode.TEST or live < _MOST_LIVE_TOKENS)):
            live += app.mode is Mode.LIVE
            yield app


def _address(rng: np.random.Generator, app: App) -> str:
    """Returns an IP address from the ranges reserved for documentation; servers, homes and the office have
    different ranges.
    """
    host = int(rng.integers(2, 250))
    if app.is_bot:
        return f"192.0.2.{host}"
    if app is LAPTOP:
        return f"2001:db8:{host:x}::{host * 7:x}" if host % 3 == 0 else f"203.0.113.{host}"
    return f"198.51.100.{host}"
