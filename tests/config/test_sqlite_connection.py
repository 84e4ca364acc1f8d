"""Writers of SQLite take turns within milliseconds, and give up when their time is over."""

import threading

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

pytestmark = pytest.mark.django_db  # though it is none of the project's database


@pytest.fixture
def connect(tmp_path):
    """`connect(2)`: another connection to one database, whose writers wait so many seconds."""
    opened = []

    def make(timeout: float):
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


def begin(connection) -> None:
    connection._start_transaction_under_autocommit()


def end(connection) -> None:
    connection.connection.execute("COMMIT")


def busy_timeout(connection) -> int:
    return connection.connection.execute("PRAGMA busy_timeout").fetchone()[0]


def test_a_writer_waits_until_the_lock_is_free(connect):
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
    assert busy_timeout(second) == 30_000


def test_a_writer_gives_up_when_its_time_is_over(connect):
    first, second = connect(30), connect(0.2)
    begin(first)
    with pytest.raises(OperationalError, match="locked"):
        begin(second)
    assert not second.connection.in_transaction
    assert busy_timeout(second) == 200
    end(first)


def test_what_is_no_lock_is_raised_without_trying_again(connect, monkeypatch):
    def sleep(_seconds):
        raise AssertionError("it was tried again")

    connection = connect(30)
    begin(connection)
    monkeypatch.setattr("config.sqlite.base.time.sleep", sleep)
    with pytest.raises(OperationalError, match="within a transaction"):
        begin(connection)
    assert busy_timeout(connection) == 30_000


def test_many_threads_lose_no_update(connect):
    connect(30).connection.execute("CREATE TABLE counter (n)")
    connect(30).connection.execute("INSERT INTO counter VALUES (0)")

    def add(connection) -> None:
        for _turn in range(20):
            begin(connection)
            (n,) = connection.connection.execute("SELECT n FROM counter").fetchone()
            connection.connection.execute("UPDATE counter SET n = ?", [n + 1])
            end(connection)

    threads = [threading.Thread(target=add, args=[connect(30)]) for _thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connect(30).connection.execute("SELECT n FROM counter").fetchone() == (160,)
