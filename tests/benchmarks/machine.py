"""What a number was measured on."""

import os
import platform
import sqlite3
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
