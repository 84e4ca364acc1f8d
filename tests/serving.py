"""The real server on a database of its own, for tests of what no test client can show."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Scratch:
    """A migrated database of the engine that this test run uses. `url` may be given options for a server."""

    url: str
    environment: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.environment["PORT"])

    def manage(self, *arguments: str) -> str:
        """The standard output of a command; a failure shows all of it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def post(self, secret: str, records: Any) -> tuple[int, Any]:
        """Status and answer of a report. Raises OSError when the server is gone."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/calls",
            json.dumps(records).encode(),
            {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  # our own server
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@contextmanager
def scratch_database(folder: Path) -> Iterator[Scratch]:
    """A new database beside the one of this run, gone afterwards."""
    if connection.vendor == "sqlite":
        yield _migrated(folder, f"sqlite:///{folder}/scratch.sqlite3")
        return
    one = connection.settings_dict
    login = f"{one['USER']}:{one['PASSWORD']}@{one['HOST'] or 'localhost'}:{one['PORT'] or 5432}"
    name = f"callboard_served_{os.getpid()}"
    with psycopg.connect(f"postgres://{login}/postgres", autocommit=True) as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield _migrated(folder, f"postgres://{login}/{name}")
        finally:
            server.execute(drop)


def _migrated(folder: Path, url: str) -> Scratch:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site: dict[str, Any] = {
        "CALLBOARD_VAR_DIR": str(folder),
        "DATABASE_URL": url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    scratch = Scratch(url, {"PATH": os.environ["PATH"], **site})
    scratch.manage("migrate", "-v0")
    return scratch


@contextmanager
def served(scratch: Scratch, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`manage.py serve`, once it answers; it is stopped afterwards unless the test has killed it."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**scratch.environment, **environment},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_healthy(process, scratch.port)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(40)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the server and all its workers in the same moment, as when the machine loses its power."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def _wait_until_healthy(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _attempt in range(3000):  # the first start compresses the static files, whatever else the machine does
        assert process.poll() is None, f"The server ended with {process.returncode} before it answered."
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("The server did not answer within five minutes.")
