"""What has to be done again and again: done by `serve` itself, so that nobody needs cron.

Apps register their jobs when they are ready. Every process of the server has a thread that asks what is due; a
row of the database gives each run to one of them, however many processes and machines there are. A job must
bear being run twice at once all the same, and being stopped anywhere: a run that takes longer than the time
until the next is overtaken by it, and a server is stopped when it is stopped.
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

# How often each process asks what is due: one row for each job, by its key.
TICK_SECONDS = 5.0
# A stop waits so long for a job that is running, as for requests (which gunicorn gives 30 seconds).
_STOP_SECONDS = 12.0


@dataclass(frozen=True)
class Job:
    """`run(now=…)` is called about every `every`."""

    name: str
    every: timedelta
    run: Callable[..., object]


_jobs: dict[str, Job] = {}


def register_job(name: str, every: timedelta, run: Callable[..., object]) -> None:
    """Adds a job; one of the same name is replaced."""
    _jobs[name] = Job(name, every, run)


def run_due(*, now: datetime) -> list[str]:
    """Runs the jobs that are due and that nobody else has taken; their names. One that fails is logged, and
    does not keep the others from running."""
    ran = []
    for job in list(_jobs.values()):
        if _take(job, now):
            ran.append(job.name)
            try:
                job.run(now=now)
            except Exception:  # whatever it is, the others must go on, and so must this one the next time
                logger.exception("The job %s failed.", job.name)
    return ran


def _take(job: Job, now: datetime) -> bool:
    """Whether the run that is due is ours. Writes only when it is due: a write locks all of SQLite."""
    due_at = JobRun.objects.filter(pk=job.name).values_list("due_at", flat=True).first()
    if due_at is None:
        JobRun.objects.bulk_create([JobRun(name=job.name, due_at=now)], ignore_conflicts=True)
    elif due_at > now:
        return False
    free = JobRun.objects.filter(pk=job.name, due_at__lte=now)
    return bool(free.update(due_at=now + job.every, started_at=now))


def note_run(name: str, *, now: datetime) -> None:
    """Notes that something was done that is no job of the server: by a command, which cron runs."""
    JobRun.objects.update_or_create({"due_at": now, "started_at": now}, name=name)


def last_run(names: Collection[str]) -> datetime | None:
    """When one of these was done last, by whatever process; None: never."""
    last: datetime | None = JobRun.objects.filter(name__in=names).aggregate(at=Max("started_at"))["at"]
    return last


class JobThread(threading.Thread):
    """Asks what is due until it is stopped."""

    def __init__(self) -> None:
        super().__init__(name="jobs", daemon=True)
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            try:
                close_old_connections()
                run_due(now=timezone.now())
            except Exception:  # such as a database that is away for a while
                logger.exception("No job could be run.")

    def stop(self) -> None:
        """Lets a job that is running come to its end, for some seconds; it is cut off then."""
        self._stopped.set()
        self.join(_STOP_SECONDS)


def worker_hooks() -> dict[str, Any]:
    """Options of gunicorn that give each worker its thread. It is a thread of the worker, not of the parent,
    which must have none while it forks."""
    threads: list[JobThread] = []

    def post_worker_init(worker: object) -> None:
        threads.append(JobThread())
        threads[-1].start()

    def worker_exit(server: object, worker: object) -> None:
        for thread in threads:
            thread.stop()

    return {"post_worker_init": post_worker_init, "worker_exit": worker_exit}
