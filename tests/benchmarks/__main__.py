"""`make bench`: what recording, reserving and pages cost, on SQLite and, with TEST_DATABASE_URL, on PostgreSQL.

    python -m tests.benchmarks [--only recording|reservations|pages] [--calls 40000] [--reservations 4800]
                              [--workers 2] [--threads 8]

Everything happens in scratch databases and against the real server. Numbers are printed, never asserted.
"""

import argparse
import os

from tests.benchmarks.machine import describe_machine
from tests.benchmarks.pages import measure_pages, print_pages
from tests.benchmarks.recording import measure_recording
from tests.benchmarks.reservations import measure_reservations
from tests.benchmarks.scratch import Scratch, scratch_databases


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=["recording", "reservations", "pages"])
    parser.add_argument("--calls", type=int, default=40_000, help="recorded for each number of clients")
    parser.add_argument("--reservations", type=int, default=4_800, help="asked for by 16 clients")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--threads", default="8")
    options = parser.parse_args()
    print(describe_machine())
    print(f"server: {options.workers} workers x {options.threads} threads")
    server = {"WEB_CONCURRENCY": options.workers, "CALLBOARD_THREADS": options.threads}
    for scratch in scratch_databases(os.environ.get("TEST_DATABASE_URL", "")):
        if options.only in {None, "recording"}:
            report_recording(scratch, options.calls, server)
        if options.only in {None, "reservations"}:
            report_reservations(scratch, options.reservations, server)
        if options.only in {None, "pages"}:
            report_pages(scratch)
    if not os.environ.get("TEST_DATABASE_URL"):
        print("\nTEST_DATABASE_URL is not set: nothing was measured on PostgreSQL.")


def report_recording(scratch: Scratch, calls: int, server: dict[str, str]) -> None:
    print(f"\n{scratch.name}: recording over HTTP, batches of 1,000, rollups and quotas included")
    print(f"{'clients':>8} {'calls':>8} {'calls/s':>9} {'ms a batch, p50':>16} {'p95':>7}")
    for run in measure_recording(scratch, calls, server):
        rate, p50, p95 = run.calls / run.seconds, run.percentile(50), run.percentile(95)
        print(f"{run.clients:>8} {run.calls:>8,} {rate:>9,.0f} {p50:>16,.0f} {p95:>7,.0f}")


def report_reservations(scratch: Scratch, asked: int, server: dict[str, str]) -> None:
    print(f"\n{scratch.name}: reserving over HTTP, 16 clients on one quota that covers nine tenths")
    print(
        f"{'asked':>8} {'granted':>8} {'expected':>8} {'overrun':>8} {'per s':>7} {'ms, p50':>8} {'p99':>7} "
        f"{'CPU ms each':>12} {'database':>9}"
    )
    run = measure_reservations(scratch, asked, server)
    print(
        f"{run.asked:>8,} {run.granted:>8,} {run.expected:>8,} {run.overrun_nanos:>8} "
        f"{run.asked / run.seconds:>7,.0f} {run.percentile(50):>8,.0f} {run.percentile(99):>7,.0f} "
        f"{1000 * run.server_cpu_seconds / run.asked:>12.1f} {1000 * run.database_cpu_seconds / run.asked:>9.1f}"
    )


def report_pages(scratch: Scratch) -> None:
    print(f"\n{scratch.name}: pages of the demo's largest team, server time, warm, as its owner")
    print_pages(measure_pages(scratch))


if __name__ == "__main__":
    main()
