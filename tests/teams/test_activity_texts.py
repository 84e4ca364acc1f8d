"""The texts of the activity."""

import re
from pathlib import Path

from teams.activity_texts import SENTENCES

ROOT = Path(__file__).resolve().parents[2]


def written_kinds() -> set[str]:
    """The kinds of activity that appear in the source of actions."""
    sources = [path for app in ("teams", "usage", "logs") for path in (ROOT / app).rglob("*.py")]
    found = {kind for path in sources for kind in re.findall(r'kind="([a-z_]+\.[a-z_]+)"', path.read_text())}
    by_name = re.findall(r'_record\([^"]*"([a-z_]+)"', (ROOT / "teams/account_activity.py").read_text())
    return found | {f"user.{name}" for name in by_name}


def test_every_kind_that_is_written_has_a_sentence() -> None:
    written = written_kinds()
    assert len(written) > 30
    assert "user.address_confirmed" in written
    assert written - set(SENTENCES) == set()
