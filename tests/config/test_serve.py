"""`manage.py serve` with real processes and sockets."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from config.server import limit_heaps, listen_error, server_options
from config.static_collection import collect_static

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken_port() -> Iterator[Any]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, Any]:
    """Environment of a separate site on SQLite, without variables of the shell."""
    return {
        "PATH": os.environ["PATH"],
        "CALLBOARD_VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
        "HOST": "127.0.0.1",
    }


def manage(environment: Any, *arguments: Any) -> Any:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("command", [["serve"], ["demo", "--serve"]])
def test_a_taken_port_is_one_clear_line(
    environment: dict[str, Any], taken_port: Any, command: list[str]
) -> None:
    done = manage({**environment, "PORT": str(taken_port)}, *command)
    assert done.returncode == 1
    assert done.stderr == (
        f"CommandError: Cannot listen on 127.0.0.1:{taken_port}: Address already in use. "
        "Set PORT (or HOST) to another one.\n"
    )


def test_a_database_without_its_migrations_is_not_served(environment: dict[str, Any]) -> None:
    done = manage({**environment, "PORT": str(free_port())}, "serve")
    assert done.returncode == 1
    assert "Run `manage.py migrate` first." in done.stderr


def test_a_port_that_is_no_number_stops_the_start(environment: dict[str, Any]) -> None:
    done = manage({**environment, "PORT": "eighty"}, "serve")
    assert done.returncode != 0
    assert "PORT" in done.stderr


def test_it_answers_with_compressed_static_files_and_stops_gracefully(environment: dict[str, Any]) -> None:
    port = free_port()
    environment["PORT"] = str(port)
    assert manage(environment, "migrate", "-v0").returncode == 0
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment, stderr=subprocess.PIPE
    )
    try:
        assert wait_for(f"http://127.0.0.1:{port}/healthz") == b"ok\n"
        page = wait_for(f"http://127.0.0.1:{port}/accounts/login/").decode()
        assert "/static/" in page
        assert list(Path(environment["CALLBOARD_VAR_DIR"]).glob("static/plotly/plotly.min.*.js.br"))
        if sys.platform == "linux":  # the same process, restarted so that its threads share two heaps
            assert b"MALLOC_ARENA_MAX=2" in Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0


def test_static_files_are_collected_once_and_again_when_one_changed(settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text("body { color: red }")
    settings.STATIC_ROOT = str(tmp_path / "collected")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    assert collect_static() is True
    assert collect_static() is False
    (source / "a.css").write_text("body { color: blue }")
    assert collect_static() is True


def test_ipv6_addresses_are_written_in_brackets() -> None:
    assert server_options("::1", 8000, 1, 1)["bind"] == "[::1]:8000"
    assert server_options("192.0.2.1", 80, 1, 1)["bind"] == "192.0.2.1:80"


def test_an_address_of_another_machine_cannot_be_listened_on(taken_port: Any) -> None:
    assert listen_error("192.0.2.1", taken_port)
    assert listen_error("127.0.0.1", free_port()) is None


def test_a_number_of_heaps_that_the_environment_sets_is_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr("config.server.os.execv", lambda *command: started.append(command))
    monkeypatch.setattr("config.server.os.putenv", lambda *variable: started.append(variable))
    settings.MALLOC_ARENA_MAX = 4
    limit_heaps()
    assert started == []
    settings.MALLOC_ARENA_MAX = None
    limit_heaps()
    assert started[0] == ("MALLOC_ARENA_MAX", "2")
    assert started[1] == (sys.executable, [sys.executable, str(ROOT / "manage.py"), "serve"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str) -> bytes:
    """The body at `url`, once the server is up: the first start compresses the static files."""
    for _attempt in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # our own
                return response.read()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer within a minute")
