"""Periodic jobs that `serve` runs itself, so that no cron is needed.

Apps register jobs when they are ready. Every server process has a thread that looks for jobs that are due; a
row in the database assigns each run to one process of all machines. A job must
tolerate two runs at the same time, and being interrupted: a run may take longer than the interval
until the next, and a server can be stopped at any time.
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

# How often each process looks for due jobs.
TICK_SECONDS = 5.0
# How long a stop waits for a running job (gunicorn waits 30 seconds for requests).
_STOP_SECONDS = 12.0


@dataclass(frozen=True)
class Job:
    """A function that is called as `run(now=…)` about once in the interval `every`."""

    name: str
    every: timedelta
    run: Callable[..., object]


_jobs: dict[str, Job] = {}


def register_job(name: str, every: timedelta, run: Callable[..., object]) -> None:
    """Registers a job, and replaces a job of the same name."""
    _jobs[name] = Job(name, every, run)


def run_due(*, now: datetime) -> list[str]:
    """Runs the jobs that are due and not taken by another process; returns their names. A failing job is logged, and
    does not prevent the others from running."""
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
    """Whether this process gets the run. Writes only if the job is due, because a write locks all of SQLite."""
    due_at = JobRun.objects.filter(pk=job.name).values_list("due_at", flat=True).first()
    if due_at is None:
        JobRun.objects.bulk_create([JobRun(name=job.name, due_at=now)], ignore_conflicts=True)
    elif due_at > now:
        return False
    free = JobRun.objects.filter(pk=job.name, due_at__lte=now)
    return bool(free.update(due_at=now + job.every, started_at=now))


def record_run(name: str, *, now: datetime) -> None:
    """Records a run that a command did instead of the server, for example by cron."""
    JobRun.objects.update_or_create({"due_at": now, "started_at": now}, name=name)


def last_run(names: Collection[str]) -> datetime | None:
    """Returns when one of these jobs last ran in any process; None if never."""
    last: datetime | None = JobRun.objects.filter(name__in=names).aggregate(at=Max("started_at"))["at"]
    return last


class JobThread(threading.Thread):
    """The thread that runs due jobs until it is stopped."""

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
        """Stops the thread; a running job has some seconds to finish."""
        self._stopped.set()
        self.join(_STOP_SECONDS)


def worker_hooks() -> dict[str, Any]:
    """Returns options of gunicorn that start a job thread in each worker, not in the parent process,
    which must have no threads when it forks."""
    threads: list[JobThread] = []

    def post_worker_init(worker: object) -> None:
        threads.append(JobThread())
        threads[-1].start()

    def worker_exit(server: object, worker: object) -> None:
        for thread in threads:
            thread.stop()

    return {"post_worker_init": post_worker_init, "worker_exit": worker_exit}
