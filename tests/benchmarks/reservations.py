"""Reserving over HTTP: clients that share one quota, each as fast as the server answers."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.scratch import Scratch, served

_CLIENTS = 16
_AMOUNT = "0.01"
# A token and what its team may spend: a team's limit and its owner's balance, so that every level is asked.
_PREPARE = """
import json, sys, django; django.setup()
from decimal import Decimal
from django.utils import timezone
from teams.actions.teams import create_team
from teams.actions.tokens import create_token
from teams.actions.users import create_user
from teams.activity import SITE
from usage.models import Quota
granted = int(sys.argv[1])
owner = create_user(email="bench@example.org")
team = create_team(by=SITE, owner=owner, name="Bench")
for space, limit in ((team, granted), (owner.owned_teams.get(is_personal=True), granted + 50)):
    Quota.objects.create(team=space, limit_nanos=limit * 10_000_000, period="month")
print(create_token(by=SITE, team=team, user=owner, name="bench")[1])
"""
_LEVELS = """
import json, django; django.setup()
from django.utils import timezone
from teams.models import Mode, Team
from usage.quotas import Subject, levels_of, payer_of
team = Team.objects.get(is_personal=False)
levels = levels_of(Subject(team, payer_of(team), Mode.LIVE), timezone.now())
print(json.dumps([[state.level.name, state.limit_nanos, state.used_nanos + state.reserved_nanos] for state in levels]))
"""


@dataclass(frozen=True)
class Reserving:
    """What the clients got through. `overrun_nanos` is what was granted beyond any limit: nothing, ever."""

    asked: int
    granted: int
    expected: int
    seconds: float
    times_ms: list[float]
    overrun_nanos: int

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.times_ms, percent))


def measure_reservations(scratch: Scratch, asked: int, server: dict[str, str]) -> Reserving:
    """All clients on one team's quota, which covers nine tenths of what they ask for."""
    expected = asked * 9 // 10
    key = scratch.run("-c", _PREPARE, str(expected)).strip()
    with served(scratch, server) as port:
        began = time.perf_counter()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            runs = list(pool.map(lambda _client: _reserve(port, key, asked // _CLIENTS), range(_CLIENTS)))
        seconds = time.perf_counter() - began
    levels = json.loads(scratch.run("-c", _LEVELS))
    overrun = max(0, *(taken - limit for _level, limit, taken in levels))
    times = [ms for run in runs for ms in run[1]]
    return Reserving(len(times), sum(run[0] for run in runs), expected, seconds, times, overrun)


def _reserve(port: int, key: str, count: int) -> tuple[int, list[float]]:
    """Reserves over one connection; how many were granted, and how long each took. Raises for other answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"amount_usd": _AMOUNT}).encode()
    granted, times = 0, []
    for _ in range(count):
        began = time.perf_counter()
        connection.request("POST", "/api/v1/reservations", body, headers)
        response = connection.getresponse()
        answer = response.read()
        times.append((time.perf_counter() - began) * 1000)
        if response.status not in {201, 429}:
            raise RuntimeError(f"{response.status}: {answer[:500]!r}")
        granted += response.status == 201
    connection.close()
    return granted, times
