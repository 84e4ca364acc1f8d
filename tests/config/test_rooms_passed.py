"""A request passes through few rooms: the two ways that `docs/architecture.md` draws, as they really are."""

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from django.test import Client

from teams.models.keys import Token
from tests.config.test_architecture import ROOMS, ROOT
from tests.conftest import Cast

MOST = 6
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def room_of_file(path: str) -> str | None:
    """The room that a source file is in, such as `usage.rollups`; None outside of rooms."""
    try:
        parts = Path(path).relative_to(ROOT).parts
    except ValueError:
        return None
    return f"{parts[0]}.{parts[1]}" if len(parts) > 2 and parts[1] in ROOMS.get(parts[0], ()) else None


def rooms_entered(request: Callable[[], Any]) -> set[str]:
    """The rooms whose functions are called while `request` runs; a first run has imported what it needs."""
    request()
    files: set[str] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        request()
    finally:
        sys.setprofile(None)
    return {room for path in files if (room := room_of_file(path))}


def drawn(section: str) -> set[str]:
    """The rooms that the drawing of a section names."""
    text = ARCHITECTURE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rooms = {f"{app}.{room}" for app in ROOMS for room in ROOMS[app]}
    return {room for room in rooms if room in text.partition("\n1. ")[0]}


def test_a_call_is_recorded_through_six_rooms(
    cast: Cast, client: Client, token_of: Callable[..., tuple[Token, str]]
) -> None:
    _token, secret = token_of("member")
    record = {"started_at": "2026-11-01T12:00:00Z", "model": "gpt-4o-mini", "input_tokens": 10}
    headers = {"Authorization": f"Bearer {secret}"}

    numbers = itertools.count()

    def report() -> None:
        body = json.dumps([record | {"request_id": f"call-{next(numbers)}"}])
        response = client.post("/api/v1/calls", body, "application/json", headers=headers)
        assert response.json()["accepted"] == 1

    entered = rooms_entered(report)
    assert len(entered) <= MOST, entered
    assert entered == drawn("The way of a call")


def test_the_overview_is_made_in_six_rooms(cast: Cast, client_of: Callable[..., Client]) -> None:
    client = client_of("owner")

    def read() -> None:
        assert client.get(f"/t/{cast.team.slug}/").status_code == 200

    entered = rooms_entered(read)
    assert len(entered) <= MOST, entered
    assert entered == drawn("The way of a page")
