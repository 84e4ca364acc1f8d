"""What the logs cost among millions of calls: pages, details, choices, exports, and the indexes' weight.

    DATABASE_URL=… python -m tests.benchmarks.bench_logs [--calls 1000000]

Measures on the database that the environment names, filled by `load_calls` when it is empty. Every number is
server time of the whole page as the owner of the largest team sees it, over 90 days: the first page, and the
page 1,000 pages on where there are so many. Targets: 50 ms median, 150 ms worst, details 15, choices 50,
exports 50,000 rows a second.
"""

import argparse
import os
import re
import statistics
import time
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

REPEATS = 5
EXPORTED = 100_000
FAR = 1_000  # pages
SINGLE = [
    "",
    "model=gpt-4o-mini",
    "model=rare-model",
    "member={member}",
    "member={quiet}",
    "token={token}",
    "outcome=succeeded",
    "outcome=throttled",
    "outcome=client_error",
    "status=503",
    "status=418",
    "latency_from=4000",
    "latency_from=30000",
    "latency_to=20",
    "ttft_from=800",
    "ttft_from=20000",
    "tokens_from=5000",
    "tokens_from=50000",
    "cost_from=0.001",
    "cost_from=0.01",
    "stream=yes",
    "provider=openai",
    "provider=house",
    "endpoint=embeddings",
    "channel=azure-west",
    "channel=azure-rare",
    "error=rate limit",
    "error=teapot",
    "error_type=teapot_error",
    "ip=10.0.3.7",
    "session=session-30-5",
    "tag=batch",
    "tag=needle",
    "request=nothing-like-it",
    "unpriced=yes",
    "mode=test",
    "sort=oldest",
    "sort=latency",
    "sort=tokens",
    "sort=cost",
]
HARD = [
    "model=rare-model&latency_from=2000&outcome=server_error",
    "error=teapot&period=7d",
    "member={member}&outcome=throttled",
    "member={quiet}&outcome=throttled&latency_from=500",
    "error=nothing like it",
    "model=gpt-4o&provider=google",
    "stream=yes&endpoint=embeddings",
    "provider=google&tokens_from=20000&latency_to=500",
    "sort=cost&outcome=throttled",
    "sort=latency&model=o3-mini&stream=yes",
    "tag=batch&status=503&model=gpt-4.1",
    "channel=azure-east&latency_from=20000&stream=yes",
]
CHOICES = ("member", "model", "token", "outcome", "status", "provider", "error_type", "tag")


def main() -> None:
    import django

    django.setup()
    import time_machine
    from django.db import connection

    from tests.benchmarks.load_calls import NOW, load
    from tests.benchmarks.machine import describe_machine

    parser = argparse.ArgumentParser(prog="bench_logs", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000, help="loaded when there are none yet")
    options = parser.parse_args()
    prepare(options.calls, load)
    print(describe_machine())
    print(f"{connection.vendor}: {size('SELECT count(*) FROM logs_call'):,} calls")
    with time_machine.travel(NOW, tick=False):
        report(Bench())
    weigh()


def prepare(calls: int, load: Any) -> None:
    from django.core.management import call_command

    from teams.models import Team

    call_command("migrate", verbosity=0)
    if not Team.objects.filter(slug="bench-1").exists():
        load(calls)


class Bench:
    """The largest team through its owner's browser."""

    def __init__(self) -> None:
        from django.test import Client

        from config.static_collection import collect_static
        from teams.models import Team, Token
        from usage.rollups.models import DayMember

        collect_static()
        self.team = Team.objects.get(slug="bench-1")
        self.client = Client(SERVER_NAME="localhost")
        self.client.force_login(self.team.owner, backend="django.contrib.auth.backends.ModelBackend")
        self.url = f"/t/{self.team.slug}/logs/"
        users = [m.user for m in self.team.memberships.select_related("user").order_by("pk")]
        self.names = {
            "member": users[0].public_id,
            "quiet": users[-1].public_id,
            "token": Token.objects.filter(team=self.team, user=users[0]).order_by("pk")[0].public_id,
        }
        assert DayMember.objects.filter(team_id=self.team.pk).exists()

    def query(self, asked: str) -> str:
        period = "" if "period" in asked else "period=90d&"
        return f"{period}{asked.format(**self.names)}"

    def timed(self, path: str) -> tuple[float, float, Any]:
        """Median and worst in ms of some requests after a warm one, and the answer."""
        self.client.get(path)
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            response = self.client.get(path)
            times.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200, path
        return statistics.median(times), max(times), response

    def far(self, asked: str) -> str:
        """The cursor of the page 1,000 pages on, found as a reader would but in larger steps; "" without one."""
        from django.http import QueryDict

        from logs.search.cursors import write_cursor
        from logs.search.filters import CallFilterSet
        from logs.search.paging import PAGE, find_page
        from logs.search.plans import make_plan
        from teams.access import Access
        from tests.benchmarks.load_calls import NOW

        form = CallFilterSet(
            QueryDict(self.query(asked)), access=Access(self.team, self.team.owner, "owner"), now=NOW
        )
        assert form.is_valid(), form.errors
        query, place, left = form.qs, None, FAR * PAGE
        plan = make_plan(query)
        for _ in range(200):
            found = find_page(query, plan, place, size=min(left, 5_000))
            place, left = found.after, left - len(found.keys)
            if place is None or left <= 0:
                break
        return write_cursor(place, form.form.fingerprint) if left <= 0 else ""


def report(bench: Bench) -> None:
    print(f"\n{'page of the logs':<58} {'first, median':>13} {'worst':>7} {'1,000th':>9} {'worst':>7}  total")
    worst: list[float] = []
    for asked in [*SINGLE, *HARD]:
        median, most, response = bench.timed(f"{bench.url}?{bench.query(asked)}")
        far = bench.far(asked)
        on = bench.timed(f"{bench.url}?{bench.query(asked)}&cursor={far}") if far else (None, None, None)
        shown = found_in(response, r'id="logs-title">([^<]*)<')
        print(f"{asked[:58]:<58} {median:>13.1f} {most:>7.1f} {_ms(on[0]):>9} {_ms(on[1]):>7}  {shown}")
        worst += [value for value in (median, on[0]) if value is not None]
    print(
        f"{'all medians: their median, and the greatest':<58} {statistics.median(worst):>13.1f} {max(worst):>7.1f}"
    )
    for name, path in others(bench):
        median, most, _response = bench.timed(path)
        print(f"{name:<58} {median:>13.1f} {most:>7.1f}")
    for kind in ("csv", "ndjson"):
        rate = export_rate(bench, kind)
        print(f"{f'export, {kind}, rows a second':<58} {rate:>13,.0f}")


def found_in(response: Any, pattern: str) -> str:
    found = re.search(pattern, response.content.decode())
    assert found is not None, pattern
    return found[1].strip()


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def others(bench: Bench) -> Iterator[tuple[str, str]]:
    """Details and choices."""
    call = found_in(bench.client.get(f"{bench.url}?{bench.query('')}"), r"/logs/([0-9a-f-]{36})/")
    yield "detail", f"{bench.url}{call}/"
    yield (
        "detail, with its neighbours under two filters",
        f"{bench.url}{call}/?{bench.query('outcome=throttled')}",
    )
    for name in CHOICES:
        yield f"choices, {name}", f"{bench.url}choices/{name}/?{bench.query('')}"


def export_rate(bench: Bench, kind: str) -> float:
    began, rows = time.perf_counter(), 0
    response: Any = bench.client.get(f"{bench.url}export/?{bench.query('format=' + kind)}")
    for chunk in response.streaming_content:
        rows += chunk.count(b"\n")
        if rows >= EXPORTED:
            break
    return rows / (time.perf_counter() - began)


def weigh() -> None:
    """Disk per million calls: the table and each index."""
    from django.db import connection

    millions = size("SELECT count(*) FROM logs_call") / 1e6
    if connection.vendor == "postgresql":
        sql = (
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname IN ('logs_call', 'logs_calltag') "
            "OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'logs_call'::regclass)"
        )
    else:
        # This SQLite may be built without dbstat, which knows single indexes.
        megabytes = os.path.getsize(connection.settings_dict["NAME"]) / 1e6
        print(f"\ndisk: {megabytes / millions:.0f} MB per million, with rollups")
        return
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = sorted(cursor.fetchall(), key=lambda row: -row[1])
    whole = sum(row[1] for row in rows)
    print(f"\n{'disk':<40} {'MB per million':>15} {'share':>7}")
    for name, used in rows:
        print(f"{name:<40} {used / 1e6 / millions:>15.1f} {used / whole:>7.1%}")
    print(f"{'together':<40} {whole / 1e6 / millions:>15.1f}")


def size(sql: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
