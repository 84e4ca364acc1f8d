"""Recording over HTTP: clients that post batches as fast as the server answers."""

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.scratch import Scratch, served

_BATCH = 1_000
_CLIENTS = (1, 2, 4)


@dataclass(frozen=True)
class Run:
    """What some clients together got through; `batches_ms` is how long each batch waited for its answer."""

    clients: int
    calls: int
    seconds: float
    batches_ms: list[float]

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.batches_ms, percent))


def measure_recording(scratch: Scratch, calls: int, server: dict[str, str]) -> Iterator[Run]:
    """One run for each number of clients, each with calls of its own, all of one team of 40."""
    prepared = json.loads(scratch.run("-m", "tests.benchmarks.prepare", str(calls)))
    with served(scratch, server) as answering:
        for clients in _CLIENTS:
            bodies = [_body(prepared["calls"][i : i + _BATCH], clients) for i in range(0, calls, _BATCH)]
            yield _run(answering.port, prepared["key"], bodies, clients)


def _body(calls: list[dict[str, object]], run: int) -> bytes:
    """A batch as JSON; the run is in the request ids, or the next one would be duplicates."""
    return json.dumps([{**call, "request_id": f"{run}-{call['request_id']}"} for call in calls]).encode()


def _run(port: int, key: str, bodies: list[bytes], clients: int) -> Run:
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        shares = [bodies[number::clients] for number in range(clients)]
        times = [ms for share in pool.map(lambda share: _post_all(port, key, share), shares) for ms in share]
    return Run(clients, len(bodies) * _BATCH, time.perf_counter() - began, times)


def _post_all(port: int, key: str, bodies: list[bytes]) -> list[float]:
    """Posts one batch after the other over one connection; raises unless every call is accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    times = []
    for body in bodies:
        began = time.perf_counter()
        connection.request("POST", "/api/v1/calls", body, headers)
        response = connection.getresponse()
        answer = response.read()
        times.append((time.perf_counter() - began) * 1000)
        if response.status != 200 or json.loads(answer)["accepted"] != _BATCH:
            raise RuntimeError(f"{response.status}: {answer[:500]!r}")
    connection.close()
    return times
