"""The real server, killed in the middle of its work, or locked out of its database: nothing is half done."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.serving import Scratch, kill, scratch_database, served

pytestmark = [pytest.mark.database, pytest.mark.slow]

BATCH, BATCHES = 400, 30
# Seconds after the first answer: in the middle of whatever two workers do then.
MOMENTS = (0.01, 0.07, 0.2)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    with scratch_database(tmp_path_factory.mktemp("served")) as database:
        yield database


@pytest.fixture(scope="module")
def secret(scratch: Scratch) -> str:
    """A token of an owner of a team whose days are not those of UTC."""
    scratch.manage("create_user", "olivia@example.org")
    slug = scratch.manage(
        "create_team", "Harbour", "--owner", "olivia@example.org", "--time-zone", "Asia/Kolkata"
    )
    return scratch.manage("create_token", "olivia@example.org", "--team", slug)


def batch_of(number: int) -> list[dict[str, Any]]:
    """Calls over three days, three models, some failed; each batch has one call of the batch before."""
    first = datetime.now(UTC) - timedelta(days=3)
    return [
        {
            "request_id": f"r{number * BATCH + index - (index == 0)}",
            "started_at": (first + timedelta(minutes=10 * index)).isoformat(),
            "model": ("gpt-4o-mini", "gpt-4o", "house-model")[index % 3],
            "status": 500 if index % 11 == 0 else 200,
            "latency_ms": 100 + index * 7,
            "input_tokens": index,
            "output_tokens": number,
        }
        for index in range(BATCH)
    ]


class Sender:
    """Two clients that post every second of the batches each, until the server is gone."""

    def __init__(self, scratch: Scratch, secret: str, batches: list[int]) -> None:
        self.scratch, self.secret, self.batches = scratch, secret, batches
        self.answered: set[int] = set()
        self.first_answer = threading.Event()

    def run(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._post, args=[start]) for start in range(2)]
        for thread in threads:
            thread.start()
        assert self.first_answer.wait(30)
        return threads

    def _post(self, start: int) -> None:
        for number in self.batches[start::2]:
            try:
                status, _answer = self.scratch.post(self.secret, batch_of(number))
            except (OSError, ValueError):  # gone before, or in the middle of an answer
                return
            assert status == 200
            self.answered.add(number)
            self.first_answer.set()


def test_a_server_killed_at_any_moment_loses_nothing_and_counts_nothing_twice(
    scratch: Scratch, secret: str
) -> None:
    answered: set[int] = set()
    for moment in MOMENTS:
        sender = Sender(scratch, secret, [number for number in range(BATCHES) if number not in answered])
        with served(scratch) as process:
            threads = sender.run()
            time.sleep(moment)
            kill(process)
            for thread in threads:
                thread.join(30)
        answered |= sender.answered
        assert len(answered) < BATCHES, "it was killed too late"
        assert "no difference" in scratch.manage("verify_usage")
    with served(scratch):
        for number in range(BATCHES):
            status, answer = scratch.post(secret, batch_of(number))
            assert (status, answer["rejected"]) == (200, [])
            assert answer["accepted"] + answer["duplicates"] == BATCH
            if number in answered:  # what was answered is kept
                assert answer["accepted"] == 0
    # The first of each batch is the last of the one before; of batch 0 it is "r-1".
    assert scratch.manage("verify_usage") == f"{BATCHES * (BATCH - 1) + 1} calls, no difference"


@contextmanager
def write_lock(scratch: Scratch) -> Iterator[None]:
    """Somebody else writes, and does not come to an end."""
    if connection.vendor == "sqlite":
        import sqlite3

        with closing(sqlite3.connect(scratch.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(scratch.url) as other:
            other.execute("SELECT 1 FROM teams_team FOR UPDATE")
            yield


def test_a_locked_database_is_503_stores_nothing_and_takes_the_batch_later(
    scratch: Scratch, secret: str
) -> None:
    short = "timeout=1" if connection.vendor == "sqlite" else "options=-c%20lock_timeout%3D1s"
    batch = [call | {"request_id": f"locked-{call['request_id']}"} for call in batch_of(0)[:10]]
    with served(scratch, DATABASE_URL=f"{scratch.url}?{short}"):
        with write_lock(scratch):
            status, answer = scratch.post(secret, batch)
        assert (status, answer["error"]["code"]) == (503, "unavailable")
        assert "no difference" in scratch.manage("verify_usage")
        assert scratch.post(secret, batch)[1]["accepted"] == 10
