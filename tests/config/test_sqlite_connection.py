"""SQLite writers wait for each other for milliseconds, and fail after the timeout."""

import gc
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

pytestmark = pytest.mark.django_db  # though it is none of the project's database


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`connect(2)`: another connection to the same database, whose writers wait so many seconds."""
    opened = []

    def make(timeout: float) -> Any:
        options = {"transaction_mode": "IMMEDIATE", "timeout": timeout, "check_same_thread": False}
        settings = {"ENGINE": "config.sqlite", "NAME": tmp_path / "test.sqlite3", "OPTIONS": options}
        connection = ConnectionHandler({"default": settings})["default"]
        connection.ensure_connection()
        connection.inc_thread_sharing()
        opened.append(connection)
        return connection

    yield make
    for connection in opened:
        connection.close()


def begin(connection: Any) -> None:
    connection._start_transaction_under_autocommit()


def end(connection: Any) -> None:
    connection._commit()


def test_a_writer_waits_until_the_lock_is_free(connect: Callable[..., Any]) -> None:
    first, second = connect(30), connect(30)
    begin(first)
    freed = threading.Event()

    def free() -> None:
        freed.set()
        end(first)

    threading.Timer(0.3, free).start()
    begin(second)
    assert freed.is_set()
    assert second.connection.in_transaction


def test_a_single_statement_waits_as_well(connect: Callable[..., Any]) -> None:
    first, second = connect(30), connect(30)
    with first.cursor() as cursor:
        cursor.execute("CREATE TABLE counter (n)")
    begin(first)
    threading.Timer(0.3, end, [first]).start()
    with second.cursor() as cursor:
        cursor.execute("INSERT INTO counter VALUES (%s)", [1])
        assert cursor.execute("SELECT n FROM counter").fetchall() == [(1,)]


def test_garbage_of_a_connection_that_waits_stops_nobody(connect: Callable[..., Any]) -> None:
    """Whoever collects it ends its statements, for which they wait as long as SQLite is at work on its connection."""
    first, second = connect(30), connect(5)
    first.connection.execute("CREATE TABLE numbers (n UNIQUE)")
    first.connection.execute("INSERT INTO numbers VALUES (1)")
    failures: list[BaseException] = []
    waits = threading.Event()

    def write() -> None:
        leave_failed_statement(second)
        waits.set()
        try:
            with second.cursor() as cursor:
                cursor.execute("UPDATE numbers SET n = 2")
        except OperationalError as error:
            failures.append(error)

    gc.disable()
    try:
        begin(first)
        writer = threading.Thread(target=write)
        writer.start()
        waits.wait()
        time.sleep(0.2)
        gc.collect()
        end(first)
        writer.join()
    finally:
        gc.enable()
    assert failures == []


def leave_failed_statement(connection: Any) -> None:
    """As an exception does that holds the frames in which it was raised."""
    cursor = connection.connection.cursor()
    with pytest.raises(sqlite3.OperationalError, match="no transaction"):
        cursor.execute("COMMIT")
    garbage = [cursor]
    garbage.append(garbage)


def test_a_writer_gives_up_when_its_time_is_over(connect: Callable[..., Any]) -> None:
    first, second = connect(30), connect(0.2)
    begin(first)
    with pytest.raises(OperationalError, match="locked"):
        begin(second)
    assert not second.connection.in_transaction
    end(first)


def test_what_is_no_lock_is_raised_without_trying_again(
    connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_seconds: Any) -> None:
        raise AssertionError("it was tried again")

    connection = connect(30)
    begin(connection)
    monkeypatch.setattr("config.sqlite.base.time.sleep", sleep)
    with pytest.raises(OperationalError, match="within a transaction"):
        begin(connection)


def test_a_snapshot_that_is_too_old_to_write_is_not_tried_again(connect: Callable[..., Any]) -> None:
    first, second = connect(30), connect(30)
    first.connection.execute("PRAGMA journal_mode=WAL")
    first.connection.execute("CREATE TABLE numbers (n)")
    with second.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        cursor.execute("SELECT * FROM numbers").fetchall()
        first.connection.execute("INSERT INTO numbers VALUES (1)")
        with pytest.raises(OperationalError, match="locked"):
            cursor.execute("INSERT INTO numbers VALUES (2)")
        cursor.execute("ROLLBACK")


def test_many_threads_lose_no_update(connect: Callable[..., Any]) -> None:
    connect(30).connection.execute("CREATE TABLE counter (n)")
    connect(30).connection.execute("INSERT INTO counter VALUES (0)")

    def add(connection: Any) -> None:
        for _turn in range(20):
            begin(connection)
            with connection.cursor() as cursor:
                (n,) = cursor.execute("SELECT n FROM counter").fetchone()
                cursor.execute("UPDATE counter SET n = %s", [n + 1])
            end(connection)

    threads = [threading.Thread(target=add, args=[connect(30)]) for _thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connect(30).connection.execute("SELECT n FROM counter").fetchone() == (160,)
