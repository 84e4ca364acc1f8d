"""The production server: gunicorn in this process, with worker processes and threads.

Most requests wait for the database, so each worker has several threads.
"""

import gc
import os
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from gunicorn.app.base import BaseApplication


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn, with options from a dictionary instead of its command line and files."""

    def __init__(self, application: WSGIHandler, options: dict[str, Any]) -> None:
        self.application = application
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIHandler:
        return self.application


def server_options(host: str, port: int, workers: int, threads: int) -> dict[str, Any]:
    """Returns the options of gunicorn.

    The application is loaded before the workers fork, so they share its memory.
    """
    return {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "worker_class": "gthread",
        "workers": workers,
        "threads": threads,
        "preload_app": True,
        # A request with 10,000 calls may wait for the write lock of the database.
        "timeout": 60,
        "graceful_timeout": 30,
        "keepalive": 15,
        # URLs are long, because they contain all filters of a page.
        "limit_request_line": 8190,
        # Workers touch a file to show that they are alive, which must never wait for a disk.
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "control_socket_disable": True,
        "loglevel": "warning",
    }


def tune_garbage_collection() -> None:
    """Makes garbage collection rarer and limits it to objects of requests. Call it before the workers fork.

    Objects that exist at the start are frozen, so they are never collected, and workers keep sharing their
    memory. A page creates tens of thousands of objects without cycles; with the default thresholds a large page
    spends a tenth of its time on collections.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def limit_heaps() -> None:
    """Restarts `serve` with `MALLOC_ARENA_MAX=2` in its environment, unless the environment sets this variable.

    On most Linux systems the C library (glibc) gives each thread its own heap, and reads the variable only when
    a program starts. A worker with eight threads that read the pages, lists and exports of 152,000 calls used
    180 MB with two heaps and 230 MB without a limit. Two are enough, because Python runs one thread at a time.
    """
    if settings.MALLOC_ARENA_MAX is None:
        os.putenv("MALLOC_ARENA_MAX", "2")
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"]
        os.execv(sys.executable, command)  # noqa: S606  # no shell is meant


def listen_error(host: str, port: int) -> str | None:
    """Returns why the server cannot listen on this host and port, or None if it can.

    The reason is the text of the system error.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None
