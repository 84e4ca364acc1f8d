"""What the workers of the server weigh when every page has been read, by eight clients at a time.

    DATABASE_URL=… python -m tests.benchmarks.workers [--calls 1000000] [--rounds 3]

Runs `manage.py serve` on the database that the environment names, filled by `load_calls` when it is empty, and reads
the pages of the largest team as its owner, all filters of the logs and an export among them. Target: 200 MB a worker.
"""

import argparse
import http.client
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

_CLIENTS = 8
_WEIGHTS = (
    "Rss",
    "Pss",
    "Private_Dirty",
)  # of the kernel's words: with what is shared, its part, what is its own


def main() -> None:
    import django

    django.setup()
    from django.core.cache import cache

    from tests.benchmarks.bench_logs import Bench, prepare
    from tests.benchmarks.load_calls import load
    from tests.benchmarks.machine import children_of, describe_machine
    from tests.benchmarks.scratch import present_database, served

    parser = argparse.ArgumentParser(prog="workers", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000, help="loaded when there are none yet")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is read")
    options = parser.parse_args()
    prepare(options.calls, load)
    print(describe_machine())
    cache.clear()  # so that what is unusual is looked for, which takes the most
    bench = Bench()
    (cookie,) = bench.client.cookies.values()
    with served(present_database(), {"WEB_CONCURRENCY": "2", "CALLBOARD_THREADS": "8"}) as answering:
        for number in range(options.rounds + 1):
            if number:
                _read(answering.port, f"{cookie.key}={cookie.value}", _paths(bench.names))
            for worker in children_of(answering.pid):
                print(f"read {number} times, worker {worker}: {_weight(worker)}")


def _paths(names: dict[str, str]) -> list[str]:
    """Pages, lists and an export, over the days that `load_calls` made calls for."""
    from tests.benchmarks.bench_logs import HARD, SINGLE
    from tests.benchmarks.load_calls import DAYS, NOW
    from tests.benchmarks.pages import PAGES

    def over(days: int) -> str:
        return f"from={NOW - timedelta(days=days):%Y-%m-%dT%H:%M}&to={NOW:%Y-%m-%dT%H:%M}"

    def dated(path: str) -> str:
        return re.sub(r"period=(\d+)([dh])", lambda m: over(int(m[1]) if m[2] == "d" else 1), path)

    pages = [path.format(team="bench-1") for path in PAGES]
    lists = [f"/t/bench-1/logs/?{asked.format(**names)}&period={DAYS}d" for asked in [*SINGLE, *HARD]]
    export = "/t/bench-1/logs/export/?period=7d&format=csv"
    return [dated(path).replace(" ", "+") for path in [*pages, *lists, export]]


def _read(port: int, cookie: str, paths: Sequence[str]) -> None:
    """Raises unless every page is there."""

    def read(path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        while response.read(1 << 16):
            pass
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status}")

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(read, paths))


def _weight(pid: int) -> str:
    rollup = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return ", ".join(f"{name} {int(rollup[name].split()[0]) // 1024} MB" for name in _WEIGHTS)


if __name__ == "__main__":
    main()
