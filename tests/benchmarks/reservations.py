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
    key = scratch.run("-m", "tests.benchmarks.shared_quota", "make", str(expected)).strip()
    with served(scratch, server) as port:
        began = time.perf_counter()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            runs = list(pool.map(lambda _client: _reserve(port, key, asked // _CLIENTS), range(_CLIENTS)))
        seconds = time.perf_counter() - began
    levels = json.loads(scratch.run("-m", "tests.benchmarks.shared_quota", "read"))
    overrun = max(0, *(taken - limit for limit, taken in levels))
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
