"""A database of the version before: `migrate` keeps all its data, and statistics and quotas still add up.

`before.*.sql.gz` are dumps of a small demo (211 calls in both modes, quotas, prices, alerts) as version 0.1.0 wrote
it, before the modules moved to rooms. Do not write them anew: they stand for the databases that are out there.
"""

import gzip
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CALLS = 211
# Written by `migrate` itself.
_OF_DJANGO = {"django_migrations", "django_content_type", "auth_permission"}
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


class OldDatabase:
    """A database that was filled from the dump; `url` is for DATABASE_URL."""

    def __init__(self, url: str, vendor: str, place: str) -> None:
        self.url, self._vendor, self._place = url, vendor, place

    def connect(self) -> Any:
        """A connection of the driver alone: Django's models are those of today."""
        return sqlite3.connect(self._place) if self._vendor == "sqlite" else psycopg.connect(self._place)

    def counts(self) -> dict[str, int]:
        """The number of rows of each table."""
        with closing(self.connect()) as database:
            tables = [name for (name,) in database.execute(_TABLES[self._vendor]).fetchall()]
            return {
                name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  # its own names
                for name in tables
                if name not in _OF_DJANGO
            }

    def calls(self) -> list[tuple[Any, ...]]:
        """What each call said of itself and what it cost."""
        columns = (
            "team_id, id, mode, request_id, model, status, input_tokens, output_tokens, cost_nanos, priced_by"
        )
        with closing(self.connect()) as database:
            return sorted(database.execute(f"SELECT {columns} FROM logs_call").fetchall())  # noqa: S608

    def manage(self, *arguments: str) -> str:
        """The output of a command of today's version on this database."""
        env = os.environ | {"DATABASE_URL": self.url}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def old_database(tmp_path: Path) -> Iterator[OldDatabase]:
    """The dump for the kind of database that the tests run on, in a database of its own."""
    vendor = connection.vendor
    dump = gzip.decompress((HERE / f"before.{vendor}.sql.gz").read_bytes()).decode()
    if vendor == "sqlite":
        path = tmp_path / "before.sqlite3"
        with closing(sqlite3.connect(path)) as database:
            database.executescript(dump)
        yield OldDatabase(f"sqlite:///{path}", vendor, str(path))
        return
    of = settings.DATABASES["default"]
    name = f"test_before_{uuid4().hex[:12]}"
    server = {"host": of["HOST"], "port": of["PORT"], "user": of["USER"], "password": of["PASSWORD"]}
    place = psycopg.conninfo.make_conninfo("", **{key: value for key, value in server.items() if value})
    with closing(psycopg.connect(place, dbname="postgres", autocommit=True)) as database:
        database.execute(f'CREATE DATABASE "{name}"')
        try:
            own = psycopg.conninfo.make_conninfo(place, dbname=name)
            with closing(psycopg.connect(own, autocommit=True)) as filled:
                filled.execute(dump)
            user = f"{of['USER']}:{of['PASSWORD']}" if of["PASSWORD"] else of["USER"]
            yield OldDatabase(f"postgres://{user}@{of['HOST']}:{of['PORT'] or 5432}/{name}", vendor, own)
        finally:
            database.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_migrate_keeps_every_row_and_every_call_as_it_was(old_database: OldDatabase) -> None:
    counts, calls = old_database.counts(), old_database.calls()
    assert len(calls) == CALLS
    old_database.manage("migrate", "--verbosity", "0")
    after = old_database.counts()
    assert {name: after.get(name) for name in counts} == counts
    assert old_database.calls() == calls


def test_statistics_and_quotas_still_agree_with_the_calls_afterwards(old_database: OldDatabase) -> None:
    old_database.manage("migrate", "--verbosity", "0")
    assert f"{CALLS} calls, no difference" in old_database.manage("verify_usage")
