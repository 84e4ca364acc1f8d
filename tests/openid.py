"""Starting the provider of `tests.openid_provider` in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def provider() -> Iterator[str]:
    """The address of a running provider."""
    command = [sys.executable, str(Path(__file__).with_name("openid_provider.py"))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)
