"""Reserving over HTTP: clients that share one quota, each as fast as the server answers."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import psycopg

from tests.benchmarks.machine import children_of, cpu_seconds
from tests.benchmarks.scratch import Scratch, served

_CLIENTS = 16
_AMOUNT = "0.01"


@dataclass(frozen=True)
class Reserving:
    """What the clients got through. `overrun_nanos` is what was granted beyond any limit: nothing, ever.

    Processor time does not depend on what else runs on the machine, as all else here does.
    """

    asked: int
    granted: int
    expected: int
    seconds: float
    times_ms: list[float]
    overrun_nanos: int
    server_cpu_seconds: float
    database_cpu_seconds: float  # 0 on SQLite, which works within the server

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.times_ms, percent))


def measure_reservations(scratch: Scratch, asked: int, server: dict[str, str]) -> Reserving:
    """All clients on one team's quota, which covers nine tenths of what they ask for."""
    expected = asked * 9 // 10
    key = scratch.run("-m", "tests.benchmarks.shared_quota", "make", str(expected + 1)).strip()
    with served(scratch, server) as answering:
        workers = children_of(answering.pid)
        _reserve(answering.port, key, 1)  # so that there is a connection to the database
        began, cpu = time.perf_counter(), cpu_seconds(workers)
        with ThreadPoolExecutor(_CLIENTS) as pool:
            share = asked // _CLIENTS
            runs = list(pool.map(lambda _client: _reserve(answering.port, key, share), range(_CLIENTS)))
        seconds = time.perf_counter() - began
        server_cpu = cpu_seconds(workers) - cpu
        database_cpu = cpu_seconds(_backends(scratch))
    levels = json.loads(scratch.run("-m", "tests.benchmarks.shared_quota", "read"))
    overrun = max(0, *(taken - limit for limit, taken in levels))
    times = [ms for run in runs for ms in run[1]]
    return Reserving(
        len(times), sum(run[0] for run in runs), expected, seconds, times, overrun, server_cpu, database_cpu
    )


def _backends(scratch: Scratch) -> list[int]:
    """The processes of PostgreSQL that serve the database. They began with the server, so all they used counts."""
    url = scratch.environment["DATABASE_URL"]
    if not url.startswith("postgres"):
        return []
    with psycopg.connect(url) as connection:
        asked = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in connection.execute(asked).fetchall()]


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
