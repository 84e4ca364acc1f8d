"""What a number was measured on."""

import os
import platform
import sqlite3
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path


def describe_machine() -> str:
    """Processor, cores, memory and versions, on two lines."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    packages = ", ".join(f"{name} {version(name)}" for name in ("Django", "gunicorn", "numpy", "psycopg"))
    return (
        f"machine: {_processor()}, {cores} cores, {memory:.0f} GB, {platform.system()} {platform.release()}\n"
        f"versions: Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cpu_seconds(pids: Iterable[int]) -> float:
    """What these processes have used of the processors so far, user and system; 0 where there is no /proc."""
    return sum(_ticks(pid) for pid in pids) / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _ticks(pid: int) -> int:
    path = Path(f"/proc/{pid}/stat")
    if not path.exists():
        return 0
    user, system = path.read_text().rpartition(")")[2].split()[11:13]
    return int(user) + int(system)
