"""Somebody's calls in contexts on different clocks."""

import random
from datetime import UTC, datetime, timedelta

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.tokens import create_token
from teams.activity import SITE
from teams.models import Mode, Team, Token, User

NOW = datetime(
    2026, 11, 2, 3, 17, tzinfo=UTC
)  # a Monday; in New York still Sunday, the clock changed the day before
ZONES = {"harbour-research": "Europe/Berlin", "lab": "Asia/Kolkata", "personal": "America/New_York"}


def new_token(team: Team, user: User, mode: Mode = Mode.LIVE) -> Token:
    """A fresh token of somebody in a context."""
    return create_token(by=SITE, team=team, user=user, name="laptop", mode=mode)[0]


def report_random(rng: random.Random, token: Token, name: str, count: int) -> None:
    """So many calls of all kinds by a token, on 90 days."""
    # Half of them in the last three days, so that short periods have some, too.
    spans = [timedelta(days=3 if n % 2 else 90) for n in range(count)]
    calls = [
        ReportedCall(
            request_id=f"{name}-{n}",
            started_at=NOW - rng.random() * span,
            model=rng.choice(["gpt-4o", "gpt-4o-mini", "house-model"]),
            status=rng.choice([200, 200, 200, 400, 429, 500]),
            input_tokens=rng.randrange(5000),
            output_tokens=rng.randrange(500),
            latency_ms=int(rng.lognormvariate(6.5, 1)),
            ttft_ms=rng.randrange(900),
        )
        for n, span in enumerate(spans)
    ]
    record_calls(calls, by=Caller(token=token), now=NOW)
