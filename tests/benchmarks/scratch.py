"""Databases to measure in, gone when the measuring is over, and the real server on them."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
# Of this run alone: two may measure on one database server.
_DATABASE = f"callboard_bench_{os.getpid()}"


@dataclass(frozen=True)
class Scratch:
    """An empty, migrated database. `environment` is what a process needs to run on it."""

    name: str
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """Standard output of `python …` on this database; raises when it fails."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout


def scratch_databases(postgresql_url: str) -> Iterator[Scratch]:
    """SQLite, then PostgreSQL on the server of that address if there is one; each removed after its use."""
    with tempfile.TemporaryDirectory(prefix="callboard-bench-") as folder:
        yield _migrated("SQLite", folder, f"sqlite:///{folder}/bench.sqlite3")
    if postgresql_url:
        with (
            tempfile.TemporaryDirectory(prefix="callboard-bench-") as folder,
            _postgresql(postgresql_url) as url,
        ):
            yield _migrated("PostgreSQL", folder, url)


def present_database() -> Scratch:
    """The database that the environment names, which stays."""
    ours: dict[str, Any] = {"PORT": str(_free_port()), "HOST": "127.0.0.1", "ALLOWED_HOSTS": "127.0.0.1"}
    return Scratch("present", {**os.environ, **ours})


def _migrated(name: str, folder: str, url: str) -> Scratch:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CALLBOARD_")}
    environment = {**ours, "CALLBOARD_VAR_DIR": folder, "DATABASE_URL": url, "PORT": str(_free_port())}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings", "HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
    environment.pop("BASE_URL", None)
    scratch = Scratch(name, environment)
    scratch.run("manage.py", "migrate", "-v0")
    return scratch


@contextmanager
def _postgresql(url: str) -> Iterator[str]:
    """The address of a new database beside the one of `url`."""
    name = sql.Identifier(_DATABASE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield url.rpartition("/")[0] + f"/{_DATABASE}"
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Served:
    """A server that answers: where, and as which process, whose children the workers are."""

    port: int
    pid: int


@contextmanager
def served(scratch: Scratch, settings: dict[str, str]) -> Iterator[Served]:
    """`manage.py serve` on the database."""
    port, log = int(scratch.environment["PORT"]), Path(scratch.environment["CALLBOARD_VAR_DIR"]) / "server.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env={**scratch.environment, **settings},
            stderr=stderr,
        )
    try:
        _wait_until_healthy(process, port)
        yield Served(port, process.pid)
    except Exception:
        print(log.read_text(), file=sys.stderr)
        raise
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_healthy(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _attempt in range(
        3000
    ):  # the first start compresses the static files, on whatever else the machine does
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode} before it answered.")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The server did not answer within five minutes.")
