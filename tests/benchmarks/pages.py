"""Server time of the pages, measured inside the server's own process: no network, no browser.

    DATABASE_URL=… python -m tests.benchmarks.pages [--json | --calls 10000000]

As a program it measures on the database that the environment names: the demo's as JSON, or one that
`load_calls` fills, when it is empty, with so many calls. Targets with 10 million: overview over 30 days 60 ms,
ranking and personal page 30, logs 50, at most twice what they cost with 10,000; a process at most 200 MB.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.scratch import Scratch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

_REPEATS = 15
PAGES = (
    "/t/{team}/?period=24h",
    "/t/{team}/?period=7d",
    "/t/{team}/?period=30d",
    "/t/{team}/?period=90d",
    "/t/{team}/ranking/?period=30d",
    "/t/{team}/ranking/?period=90d",
    "/t/{team}/ranking/?period=30d&by=token",
    "/t/{team}/ranking/?period=30d&by=model",
    "/t/{team}/logs/?period=30d",
    "/t/{team}/logs/?period=30d&outcome=server_error",
    "/t/{team}/members/",
    "/t/{team}/quotas/",
    "/t/{team}/activity/",
    "/me/?period=30d",
)


def measure_pages(scratch: Scratch) -> list[dict[str, Any]]:
    """Loads the demo into the scratch database and measures each page as the owner."""
    scratch.run("manage.py", "flush", "--no-input")
    scratch.run("manage.py", "demo")
    found: list[dict[str, Any]] = json.loads(scratch.run("-m", "tests.benchmarks.pages", "--json"))
    return found


def main() -> None:
    import django

    django.setup()
    parser = argparse.ArgumentParser(prog="pages", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="of the demo, as JSON")
    parser.add_argument("--calls", type=int, default=10_000, help="loaded when there are none yet")
    options = parser.parse_args()
    if options.json:
        from logs.demo.load import SIGN_INS

        json.dump(measure_all("harbour-research", SIGN_INS["owner"]), sys.stdout)
    else:
        _measure_loaded(options.calls)


def _measure_loaded(calls: int) -> None:
    import time_machine

    from tests.benchmarks.bench_logs import prepare
    from tests.benchmarks.load_calls import NOW, load
    from tests.benchmarks.machine import describe_machine

    prepare(calls, load)
    print(describe_machine())
    with time_machine.travel(NOW, tick=False):
        print_pages(measure_all("bench-1", "u0@bench.example"))
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def measure_all(team: str, email: str) -> list[dict[str, Any]]:
    """Every page of a team as one of its people sees it."""
    from django.test import Client

    from config.server import tune_garbage_collection
    from config.static_collection import collect_static
    from teams.models import User

    collect_static()
    tune_garbage_collection()  # as the server does
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
    return [measure(client, path.format(team=team)) for path in PAGES]


def print_pages(pages: Sequence[dict[str, Any]]) -> None:
    print(f"{'page':<44} {'status':>6} {'ms, median':>11} {'max':>7} {'queries':>8} {'kB':>6}")
    for page in pages:
        print(
            f"{page['path']:<44} {page['status']:>6} {page['median_ms']:>11.1f} {page['max_ms']:>7.1f} "
            f"{page['queries']:>8} {page['bytes'] / 1000:>6.0f}"
        )


def measure(client: Any, path: str) -> dict[str, Any]:
    """Median and worst of some requests after a warm one, and how many queries one takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    response = client.get(path)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    taken = len(queries)  # now: the next request empties the list
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        client.get(path)
        times.append((time.perf_counter() - began) * 1000)
    return {
        "path": path,
        "status": response.status_code,
        "median_ms": statistics.median(times),
        "max_ms": max(times),
        "queries": taken,
        "bytes": len(response.content),
    }


if __name__ == "__main__":
    main()
