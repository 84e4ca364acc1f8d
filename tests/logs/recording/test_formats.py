"""A format that calls come in is one entry of a registry: address, import and description follow from it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import clear_url_caches, include, path
from django.utils import timezone

from logs.formats import FORMATS, LITELLM
from logs.formats.callboard import READERS
from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.openapi import document
from logs.recording.api import receiver
from tests.conftest import Cast
from tests.logs.conftest import record, report


def parse_note(record: Any, now: datetime) -> ReportedCall | None:
    """`{"who": …, "asked": …}`; what was not asked of a model is no call."""
    if record["asked"] is None:
        return None
    return ReportedCall(
        request_id=record["id"],
        started_at=now - timedelta(minutes=1),
        model=record["asked"],
        member=record["who"],
    )


def notes_of(line: Any) -> list[Any]:
    return line["notes"]


NOTES = replace(
    LITELLM,
    name="notes",
    path="api/v1/notes",
    parse=parse_note,
    id_field="id",
    unfold=notes_of,
)
NOTE: dict[str, Any] = {"id": "n1", "who": "mia@example.org", "asked": "gpt-4o-mini"}
NO_CALL = {"id": "n2", "who": "mia@example.org", "asked": None}
urlpatterns = [path(NOTES.path, receiver(NOTES)), path("", include("config.urls"))]


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The format beside the others: one entry."""
    monkeypatch.setitem(FORMATS, NOTES.name, NOTES)


@pytest.mark.urls(__name__)
def test_the_api_takes_a_format_by_its_entry_alone(client: Client, team_key: str, cast: Cast) -> None:
    clear_url_caches()
    answer = report(
        client, f"/{NOTES.path}", team_key, [NOTE, NO_CALL, {**NOTE, "id": "n3", "who": "x@example.org"}]
    )
    assert answer.json()["accepted"] == 1
    assert answer.json()["ignored"] == 1
    assert [bad["request_id"] for bad in answer.json()["rejected"]] == ["n3"]
    assert Call.objects.get().member_id == cast.member.pk


@pytest.mark.urls(__name__)
def test_whoever_it_names_is_nobody_where_a_person_reports(client: Client, mia: str, cast: Cast) -> None:
    clear_url_caches()
    assert report(client, f"/{NOTES.path}", mia, {**NOTE, "who": "x@example.org"}).json()["accepted"] == 1
    assert Call.objects.get().member_id == cast.member.pk


@pytest.mark.usefixtures("declared")
def test_the_description_of_the_api_has_it() -> None:
    post = document("https://callboard.example")["paths"]["/api/v1/notes"]["post"]
    assert post["summary"] == NOTES.summary
    assert list(post["requestBody"]["content"]) == list(NOTES.bodies)


@pytest.mark.usefixtures("declared")
def test_files_of_it_are_imported(cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "notes.ndjson"
    lines.write_text(json.dumps({"notes": [NOTE, NO_CALL]}) + "\n")
    call_command("import_calls", "--team", cast.team.slug, "--format", "notes", str(lines))
    assert capsys.readouterr().out.strip() == "1 accepted, 0 duplicates, 0 rejected, 1 ignored"


def test_no_module_but_the_registry_names_a_format() -> None:
    """Whoever adds one has nothing else to change; only what belongs to OTLP's other signals knows a format."""
    base = Path(settings.BASE_DIR)
    readers = {"litellm", "otlp", "genai", "parse_payload", "parse_span"}
    for module in (base / "logs").rglob("*.py"):
        if module.parent.name in {"formats", "demo", "migrations"} or module.name == "api_urls.py":
            continue
        imports = takewhile(
            lambda line: not line.startswith(("def ", "class ", "@")), module.read_text().splitlines()
        )
        named = {word.strip(",()") for line in imports if "import" in line for word in line.split()}
        assert not named & readers, module


def test_names_and_addresses_are_unique() -> None:
    assert list(FORMATS) == [one.name for one in FORMATS.values()]
    assert len({one.path for one in FORMATS.values()}) == len(FORMATS)


def test_payloads_that_ask_no_model_are_no_calls(client: Client, mia: str) -> None:
    end = timezone.now().timestamp()
    payload: dict[str, Any] = {
        "startTime": end - 1,
        "endTime": end,
        "model": "gpt-4o",
        "prompt_tokens": 5,
        "response_cost": 0.1,
    }
    batch = [
        {**payload, "litellm_call_id": kind, "call_type": kind}
        for kind in ("aget_responses", "alist_input_items", "adelete_responses", "acompletion")
    ]
    answer = report(client, "/api/v1/litellm", mia, batch).json()
    assert (answer["accepted"], answer["ignored"], answer["rejected"]) == (1, 3, [])
    assert report(client, "/api/v1/litellm", mia, batch[:3]).status_code == 200, "nothing was wrong with them"


def test_the_fields_of_a_call_are_described_as_they_are_read(client: Client, mia: str) -> None:
    """The limits stand in one place: what is just within is taken, what is beyond is rejected under its name."""
    described = document("")["components"]["schemas"]["Call"]["properties"]
    assert set(described) == {"started_at", *READERS}
    beyond = {
        **{
            name: "x" * (schema["maxLength"] + 1) for name, schema in described.items() if "maxLength" in schema
        },
        **{name: schema["maximum"] + 1 for name, schema in described.items() if "maximum" in schema},
    }
    assert len(beyond) > 15
    batch = [{**record(f"r{position}"), name: value} for position, (name, value) in enumerate(beyond.items())]
    answer = report(client, "/api/v1/calls", mia, batch).json()
    assert [bad["param"] for bad in answer["rejected"]] == list(beyond)
