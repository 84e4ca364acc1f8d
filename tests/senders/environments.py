"""Python environments for senders, whose packages must not meet ours: made once, kept below the var folder."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_HERE: Final = Path(__file__).resolve().parent
_PIP: Final = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def environment(name: str) -> Path:
    """The folder of programs of the environment with what `requirements-<name>.txt` lists.

    It is made anew when that file or the Python has changed, and when it was left half made.
    """
    requirements = _HERE / f"requirements-{name}.txt"
    folder = ROOT / "var" / "senders" / name
    mark = folder / "complete"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    with _only_one_process(folder.with_suffix(".lock")):
        if not (mark.exists() and mark.read_text() == wanted):
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, requirements)
            mark.write_text(wanted)
    return folder / "bin"


@contextmanager
def _only_one_process(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(folder: Path, requirements: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = str(folder / "bin" / "python")
    install = [*_PIP, "--python", python, "install", "--require-hashes", "-r", str(requirements)]
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
