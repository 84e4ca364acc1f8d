"""import_calls: files of any format into a team, resumable, bad records named by number."""

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from logs.models import Call
from teams.models import Membership, User
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.conftest import record
from tests.logs.formats.test_otlp import CHAT, request, span
from usage.rollups.models import DayModel

MIA: dict[str, Any] = {"member": "mia@example.org"}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Any]:
    """`file(records)`: their NDJSON, or these bytes, in a file."""

    def write(content: list[Any] | bytes, name: str = "calls.ndjson") -> Any:
        lines = (
            content if isinstance(content, bytes) else b"\n".join(json.dumps(one).encode() for one in content)
        )
        path = tmp_path / name
        path.write_bytes(lines)
        return path

    return write


@pytest.fixture
def load(cast: Cast, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """`load(path, …)`: the printed result, and what was said on standard error, failed or not."""

    def run(*arguments: Any) -> tuple[str, str]:
        try:
            call_command("import_calls", "--team", cast.team.slug, *map(str, arguments))
        except CommandError as error:
            said = capsys.readouterr()
            return said.out.strip(), f"{said.err}{error}"
        said = capsys.readouterr()
        return said.out.strip(), said.err

    return run


BATCH = [record(f"r{n}", **MIA) for n in range(3)]
PACKED = {
    "lines": "\n".join(map(json.dumps, BATCH)).encode(),
    "an array": json.dumps(BATCH, indent=1).encode(),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", PACKED)
def test_a_file_is_read_once_and_a_second_time_all_are_duplicates(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], form: Any, pack: Any
) -> None:
    path = file(pack(PACKED[form]))
    assert load(path)[0] == "3 accepted, 0 duplicates, 0 rejected"
    assert load(path)[0] == "0 accepted, 3 duplicates, 0 rejected"
    assert DayModel.objects.get().calls == Call.objects.count() == 3


def test_bad_records_are_named_by_line_and_the_good_ones_kept(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any]
) -> None:
    lines = [json.dumps(record("a", **MIA)), "", "{nonsense", json.dumps(record("b", latency_ms=-1, **MIA))]
    path = file("\n".join([*lines, json.dumps(record("c", **MIA))]).encode())
    out, err = load(path)
    assert out == "2 accepted, 0 duplicates, 2 rejected"
    assert f"{path}:3: This is not JSON" in err
    assert f"{path}:4: latency_ms: latency_ms must be at least 0." in err
    assert "import the file again" in err


def test_more_than_a_batch_is_read_and_lines_keep_their_numbers(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any]
) -> None:
    records = [record(f"r{n}", **MIA) for n in range(1005)]
    records[1002]["model"] = ""
    path = file(records)
    out, err = load(path)
    assert out == "1004 accepted, 0 duplicates, 1 rejected"
    assert f"{path}:1003: model" in err


def test_people_in_the_file_become_members(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], cast: Cast
) -> None:
    out, err = load(file([record("a", member="New@Example.org"), record("b", member="adam@example.org")]))
    assert out == "2 accepted, 0 duplicates, 0 rejected"
    assert "New members: new@example.org" in err
    new = User.objects.get(email="new@example.org")
    assert Membership.objects.get(team=cast.team, user=new).role == "member"
    assert not new.has_usable_password()


def test_people_with_an_account_elsewhere_become_members_of_this_team(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], cast: Cast
) -> None:
    load(file([record("a", member="otto@example.org")]))
    assert Membership.objects.filter(team=cast.team, user=cast.outsider).exists()
    assert Call.objects.get().team_id == cast.team.pk


def test_addresses_are_mapped_to_members(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], cast: Cast
) -> None:
    path = file([record("a", member="Bot@lab.example"), record("b", **MIA)])
    assert load(path, "--map", "bot@lab.example=mia@example.org")[0] == "2 accepted, 0 duplicates, 0 rejected"
    assert set(Call.objects.values_list("member_id", flat=True)) == {cast.member.pk}
    assert not User.objects.filter(email__startswith="bot").exists()


def test_records_of_nobody_are_those_of_the_member_who_is_given(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], cast: Cast
) -> None:
    path = file([record("a"), record("b", member="adam@example.org")])
    out, err = load(path)
    assert out == "1 accepted, 0 duplicates, 1 rejected"
    assert f"{path}:1: token: Send the caller" in err
    assert load(path, "--member", "mia@example.org")[0] == "1 accepted, 1 duplicates, 0 rejected"
    assert Call.objects.get(request_id="a").member_id == cast.member.pk


def test_members_are_not_made_when_that_is_not_wanted(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any]
) -> None:
    out, _err = load(file([record("a", member="new@example.org"), record("b", **MIA)]), "--no-create-members")
    assert out == "1 accepted, 0 duplicates, 1 rejected"
    assert not User.objects.filter(email="new@example.org").exists()


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "ümlaut@", "x" * 250 + "@e.org"])
def test_what_is_no_address_is_named_by_its_line_and_the_rest_kept(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], address: str
) -> None:
    path = file([record("a", **MIA), record("b", member=address), record("c", **MIA)])
    out, err = load(path)
    assert out == "2 accepted, 0 duplicates, 1 rejected"
    assert f"{path}:2: member: " in err


def test_somebody_who_is_deactivated_does_not_stop_the_others(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], cast: Cast
) -> None:
    User.objects.filter(pk=cast.outsider.pk).update(is_active=False)
    out, err = load(file([record("a", member="otto@example.org"), record("b", **MIA)]))
    assert out == "1 accepted, 0 duplicates, 1 rejected"
    assert ":1: member: " in err


def test_tokens_in_the_file_say_whose_calls_they_are(
    load: Callable[..., tuple[str, str]],
    file: Callable[..., Any],
    cast: Cast,
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token, _secret = token_of("administrator")
    load(file([record("a", token=token.public_id)]))
    call = Call.objects.get()
    assert (call.member_id, call.token_id) == (cast.administrator.pk, token.pk)


def test_the_formats_of_others_are_read(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], cast: Cast
) -> None:
    call = {
        "litellm_call_id": "l1",
        "model": "gpt-4o-mini",
        "startTime": 1790000000.5,
        "end_user": MIA["member"],
    }
    assert load(file([call]), "--format", "litellm")[0] == "1 accepted, 0 duplicates, 0 rejected"


def test_a_file_that_breaks_off_is_refused_before_anything_is_stored(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any]
) -> None:
    packed = gzip.compress(PACKED["lines"])
    out, err = load(file(packed[:-12]))
    assert out == ""
    assert "cannot be read" in err
    assert not Call.objects.exists()


@pytest.mark.parametrize("arguments", [["/nowhere/at/all"], ["--map", "mia@example.org"]])
def test_nonsense_is_an_error_and_no_traceback(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any], arguments: list[str]
) -> None:
    assert load(file(BATCH), *arguments)[1]


def test_an_unknown_team_is_an_error(db: None, file: Callable[..., Any]) -> None:
    with pytest.raises(CommandError, match="no team nowhere"):
        call_command("import_calls", str(file(BATCH)), "--team", "nowhere")


def test_traces_are_imported_from_the_files_that_a_collector_writes(
    load: Callable[..., tuple[str, str]], file: Callable[..., Any]
) -> None:
    """One ExportTraceServiceRequest a line; a span that cannot be read is named by its line."""
    nanos = time.time_ns()
    times: dict[str, Any] = {"start_time_unix_nano": nanos - 10**9, "end_time_unix_nano": nanos}
    first = json_format.MessageToDict(ExportTraceServiceRequest.FromString(request(span(CHAT, **times))))
    second = json_format.MessageToDict(
        ExportTraceServiceRequest.FromString(
            request(
                *(span({**CHAT, "gen_ai.response.id": f"x{n}"}, span_id=b"%8d" % n, **times) for n in range(2))
            )
        )
    )
    spans = second["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append({**spans[0], "startTimeUnixNano": "yesterday"})
    path = file([first, second, {"resourceSpans": 7}])
    out, err = load("--format", "otlp", path)
    assert out == "3 accepted, 0 duplicates, 2 rejected"
    assert f"{path}:2: The span cannot be read" in err
    assert f"{path}:3: This is not an ExportTraceServiceRequest" in err
    assert load("--format", "otlp", path)[0] == "0 accepted, 3 duplicates, 2 rejected"
