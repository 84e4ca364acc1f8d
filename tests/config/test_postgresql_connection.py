"""A reused connection is checked only if the server has sent something on it, and keeps the
plans of repeated statements."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import DataError, connection, transaction

from config.cursors import repeated_cursor
from teams.models import User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection that could break"),
]


@pytest.fixture
def kept() -> Iterator[Any]:
    """The connection between two requests."""
    connection.ensure_connection()
    yield connection
    connection.close()


def run_elsewhere(sql: str, *parameters: object) -> None:
    """Runs a statement on another connection."""
    settings = connection.get_connection_params()
    names = {
        name: settings[name] for name in ("dbname", "user", "password", "host", "port") if name in settings
    }
    with psycopg.connect(**names, autocommit=True) as other:
        other.execute(sql, parameters)


def end_from_elsewhere() -> None:
    """Ends the connection as a restart of the server does."""
    run_elsewhere("SELECT pg_terminate_backend(%s, 5000)", connection.connection.info.backend_pid)
    for _turn in range(100):
        if not connection.is_usable():
            return
        time.sleep(0.05)


def test_a_quiet_connection_is_used_without_asking(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_connection: Any) -> None:
        raise AssertionError("the server was asked")

    monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.is_usable", ask)
    assert kept.is_usable()


def test_a_connection_on_which_the_server_said_something_is_asked(
    kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def is_usable(kept: Any) -> bool:
        asked.append(kept)
        return True

    monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.is_usable", is_usable)
    with kept.cursor() as cursor:
        cursor.execute("LISTEN something")
    run_elsewhere("NOTIFY something")
    for _turn in range(100):
        assert kept.is_usable()
        if asked:
            return
        time.sleep(0.05)
    raise AssertionError("the server was never asked")


def test_a_connection_that_the_server_ended_is_not_usable_and_replaced(kept: Any) -> None:
    before = connection.connection.info.backend_pid
    end_from_elsewhere()
    assert not kept.is_usable()
    kept.health_check_enabled, kept.health_check_done = True, False
    kept.close_if_health_check_failed()
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != before


def test_a_connection_that_was_closed_here_is_not_usable(kept: Any) -> None:
    kept.connection.close()
    assert not kept.is_usable()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 20, 9, 38, 27, 860_839, tzinfo=UTC),
        datetime(2026, 11, 20, 9, 38, 27, 860_000, tzinfo=UTC),
        datetime(2026, 11, 20, 23, 0, tzinfo=ZoneInfo("America/St_Johns")),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_times_are_read_to_the_microsecond_and_in_utc(moment: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [moment])
        (found,) = cursor.fetchone()
    assert found == moment
    assert found.tzinfo is UTC


def test_a_time_that_python_does_not_have_is_an_error(kept: Any) -> None:
    for text in ("infinity", "0044-03-15 12:00:00+00 BC"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::timestamptz", [text])
            with pytest.raises(DataError, match="timestamp"):
                cursor.fetchone()


def prepared_statements() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return cursor.fetchone()[0]


def ask_for(number: Any) -> Any:
    with repeated_cursor() as cursor:
        cursor.execute("SELECT %s + 1", [number])
        return cursor.fetchone()[0]


def test_a_statement_that_is_repeated_is_planned_once(kept: Any) -> None:
    before = prepared_statements()
    assert [ask_for(number) for number in range(10)] == list(range(1, 11))
    assert prepared_statements() == before + 1


def test_what_was_planned_outlives_a_transaction_that_is_rolled_back(kept: Any) -> None:
    for turn in range(10):
        with transaction.atomic():
            assert ask_for(turn) == turn + 1
            transaction.set_rollback(True)
    assert ask_for(41) == 42


def test_statements_that_the_orm_writes_are_planned_anew_with_their_values(kept: Any) -> None:
    before = prepared_statements()
    for number in range(10):
        assert not User.objects.filter(pk=-number).exists()
    assert prepared_statements() == before


def test_a_connection_that_was_replaced_plans_anew(kept: Any) -> None:
    assert [ask_for(number) for number in range(5)] == [1, 2, 3, 4, 5]
    kept.close()
    assert ask_for(5) == 6
