"""A setting that makes no sense stops the start with its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def start_with(folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "CALLBOARD_VAR_DIR": str(folder), **settings}
    show = "from config import settings; print(settings.DEFAULT_BALANCE_USD)"
    return subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(("text", "shown"), [("", "None"), ("0", "0"), ("12.50", "12.50")])
def test_the_balance_of_new_users_is_an_amount_or_nothing(tmp_path, text, shown):
    assert start_with(tmp_path, CALLBOARD_DEFAULT_BALANCE_USD=text).stdout.strip() == shown


@pytest.mark.parametrize("text", ["ten", "-1", "NaN", "Infinity", "1e8", "0.0000000001"])
def test_what_cannot_be_a_balance_stops_the_start_not_the_first_sign_up(tmp_path, text):
    done = start_with(tmp_path, CALLBOARD_DEFAULT_BALANCE_USD=text)
    assert done.returncode == 1
    assert "CALLBOARD_DEFAULT_BALANCE_USD" in done.stderr
