"""Periodic jobs of `serve`: each run is done by one process, and a failing job does not stop the others."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from config import jobs
from config.jobs import JobThread, last_run, record_run, register_job, run_due, worker_hooks

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def own_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_jobs", {})


@pytest.mark.django_db
def test_a_job_runs_at_first_and_then_every_so_often() -> None:
    ran = []
    register_job("one", MINUTE, lambda now: ran.append(now))
    for seconds in (0, 30, 59, 60, 200, 210):
        run_due(now=NOW + timedelta(seconds=seconds))
    assert [(at - NOW).seconds for at in ran] == [0, 60, 200]


@pytest.mark.django_db
def test_one_that_fails_is_logged_and_tried_again_and_keeps_nobody_from_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ran = []

    def fail(now: datetime) -> None:
        ran.append("failing")
        raise RuntimeError("broken")

    register_job("failing", MINUTE, fail)
    register_job("other", MINUTE, lambda now: ran.append("other"))
    assert run_due(now=NOW) == ["failing", "other"]
    assert "The job failing failed." in caplog.text
    assert "RuntimeError: broken" in caplog.text
    assert run_due(now=NOW + MINUTE) == ["failing", "other"]


@pytest.mark.django_db
def test_asking_when_nothing_is_due_writes_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    register_job("one", MINUTE, lambda now: None)
    run_due(now=NOW)
    with django_assert_num_queries(1):
        assert run_due(now=NOW + timedelta(seconds=59)) == []


@pytest.mark.django_db
def test_what_was_done_last_is_known_of_jobs_and_of_commands() -> None:
    assert last_run(["one", "by-cron"]) is None
    register_job("one", MINUTE, lambda now: None)
    run_due(now=NOW)
    assert last_run(["one", "by-cron"]) == NOW
    for minutes in (1, 2):
        record_run("by-cron", now=NOW + minutes * MINUTE)
    assert last_run(["one", "by-cron"]) == NOW + 2 * MINUTE
    assert last_run(["one"]) == NOW


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_of_eight_that_ask_at_once_one_runs_it() -> None:
    ran, barrier = [], threading.Barrier(8)
    register_job("one", MINUTE, lambda now: ran.append(now))

    def ask() -> None:
        try:
            for minute in range(3):
                barrier.wait()
                run_due(now=NOW + minute * MINUTE)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ran == [NOW, NOW + MINUTE, NOW + 2 * MINUTE]


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_a_workers_thread_runs_jobs_until_the_worker_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TICK_SECONDS", 0.02)
    ran = threading.Event()

    def once(now: datetime) -> None:
        ran.set()
        connection.close()

    register_job("one", timedelta(seconds=0), once)
    hooks = worker_hooks()
    hooks["post_worker_init"](None)
    assert ran.wait(20)
    hooks["worker_exit"](None, None)
    ran.clear()
    time.sleep(0.2)
    assert not ran.is_set()
    assert not [thread for thread in threading.enumerate() if isinstance(thread, JobThread)]
