"""Server time of the pages, measured inside the server's own process: no network, no browser.

As a program it measures on the database that the environment names, and prints JSON.
"""

import json
import statistics
import sys
import time
from typing import Any

from tests.benchmarks.scratch import Scratch

_REPEATS = 15
_TEAM = "harbour-research"
_PAGES = (
    f"/t/{_TEAM}/?period=24h",
    f"/t/{_TEAM}/?period=7d",
    f"/t/{_TEAM}/?period=30d",
    f"/t/{_TEAM}/?period=90d",
    f"/t/{_TEAM}/ranking/?period=30d",
    f"/t/{_TEAM}/logs/?period=30d",
    f"/t/{_TEAM}/logs/?period=30d&outcome=server_error",
    f"/t/{_TEAM}/members/",
    "/me/?period=30d",
)


def measure_pages(scratch: Scratch) -> list[dict[str, Any]]:
    """Loads the demo into the scratch database and measures each page as the owner."""
    scratch.run("manage.py", "flush", "--no-input")
    scratch.run("manage.py", "demo")
    found: list[dict[str, Any]] = json.loads(scratch.run("-m", "tests.benchmarks.pages"))
    return found


def main() -> None:
    import django

    django.setup()
    from django.test import Client

    from config.collected import collect_static
    from logs.demo.load import SIGN_INS
    from teams.models import User

    collect_static()
    client = Client(SERVER_NAME="localhost")
    owner = User.objects.get(email=SIGN_INS["owner"])
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    json.dump([measure(client, path) for path in _PAGES], sys.stdout)


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
