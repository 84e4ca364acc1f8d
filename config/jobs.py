"""Periodic jobs, which `serve` runs, so that no cron is needed.

Apps register their jobs at the start. Every server process has a thread that looks for due jobs. A row in the
database decides which process, of all machines, does a run. A job must allow two runs at the same time, because
a run may take longer than its interval, and interruption, because a server can be stopped at any time.
"""

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections
from django.db.models import Max
from django.utils import timezone

from config.models import JobRun

logger = logging.getLogger(__name__)

# Seconds between two times that a process looks for due jobs.
TICK_SECONDS = 5.0
# Seconds that stopping the server waits for a running job (gunicorn waits 30 seconds for requests).
_STOP_SECONDS = 12.0


@dataclass(frozen=True)
class Job:
    """A function that is called as `run(now=…)`, about once per interval `every`."""

    name: str
    every: timedelta
    run: Callable[..., object]


_jobs: dict[str, Job] = {}


def register_job(name: str, every: timedelta, run: Callable[..., object]) -> None:
    """Registers a periodic job. Replaces a job with the same name."""
    _jobs[name] = Job(name, every, run)


def run_due(*, now: datetime) -> list[str]:
    """Runs the jobs that are due and that no other process has taken, and returns their names.

    If a job raises an exception, it is logged, and the other jobs are run.
    """
    ran = []
    for job in list(_jobs.values()):
        if _take(job, now):
            ran.append(job.name)
            try:
                job.run(now=now)
            except Exception:  # a failing job must not stop the others
                logger.exception("The job %s failed.", job.name)
    return ran


def _take(job: Job, now: datetime) -> bool:
    """Whether this process may run the job now, because it is due and no other process has taken the run.

    Writes only if the job is due, because a write locks the whole database on SQLite.
    """
    due_at = JobRun.objects.filter(pk=job.name).values_list("due_at", flat=True).first()
    if due_at is None:
        JobRun.objects.bulk_create([JobRun(name=job.name, due_at=now)], ignore_conflicts=True)
    elif due_at > now:
        return False
    free = JobRun.objects.filter(pk=job.name, due_at__lte=now)
    return bool(free.update(due_at=now + job.every, started_at=now))


def record_run(name: str, *, now: datetime) -> None:
    """Stores that a command has run a job instead of the server, for example by cron."""
    JobRun.objects.update_or_create({"due_at": now, "started_at": now}, name=name)


def last_run(names: Collection[str]) -> datetime | None:
    """Returns when one of the jobs `names` last started in any process, or None if none ever did."""
    last: datetime | None = JobRun.objects.filter(name__in=names).aggregate(at=Max("started_at"))["at"]
    return last


class JobThread(threading.Thread):
    """The thread of a server process that runs due jobs until it is stopped."""

    def __init__(self) -> None:
        super().__init__(name="jobs", daemon=True)
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            try:
                close_old_connections()
                run_due(now=timezone.now())
            except Exception:  # such as a database that is not available for a while
                logger.exception("No job could be run.")

    def stop(self) -> None:
        """Stops the thread, and waits some seconds for a running job to finish."""
        self._stopped.set()
        self.join(_STOP_SECONDS)


def worker_hooks() -> dict[str, Any]:
    """Returns options for gunicorn that start and stop a JobThread in each worker process.

    The parent process must have no threads when it forks.
    """
    threads: list[JobThread] = []

    def post_worker_init(worker: object) -> None:
        threads.append(JobThread())
        threads[-1].start()

    def worker_exit(server: object, worker: object) -> None:
        for thread in threads:
            thread.stop()

    return {"post_worker_init": post_worker_init, "worker_exit": worker_exit}
