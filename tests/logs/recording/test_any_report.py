"""Whatever a gateway or an exporter sends in records that have a time and a caller: calls, and never a 500."""

import json
import time
from typing import Any

from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.formats.dialects import READ
from logs.formats.usage import TOKEN_FIELDS
from logs.models import Call
from tests.logs.conftest import report
from tests.logs.formats.test_any_record import PAYLOADS
from tests.logs.formats.test_otlp import CHAT, SCALARS, TEXTS, request, span

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WHO = {"user_api_key_user_email": "mia@example.org"}


def sent(record: object) -> bytes:
    """As JSON, with whatever Python can write of it; numbers of thousands of digits stay."""
    return json.dumps(record, default=float).encode("utf-8", "surrogatepass")


@FEW
@given(payloads=st.lists(PAYLOADS, min_size=1, max_size=5))
def test_whatever_litellm_sends(client: Client, team_key: str, payloads: Any) -> None:
    batch = [
        {**one, "startTime": time.time() - 5, "litellm_call_id": f"r{n}", "metadata": WHO}
        for n, one in enumerate(payloads)
    ]
    answer = report(client, "/api/v1/litellm", team_key, sent(batch)).json()
    assert answer["rejected"] == []
    assert answer["accepted"] + answer["duplicates"] + answer.get("ignored", 0) == len(batch)


ATTRIBUTES = st.dictionaries(
    st.sampled_from(sorted(READ - {"callboard.token", "callboard.team"})), SCALARS | TEXTS
)


@FEW
@given(spans=st.lists(ATTRIBUTES, min_size=1, max_size=5), data=st.data())
def test_whatever_an_exporter_sends(client: Client, mia: str, spans: Any, data: Any) -> None:
    nanos = time.time_ns()
    end = data.draw(st.integers(0, 2**64 - 1) | st.just(nanos))
    body = request(
        *(
            span({**CHAT, **attributes}, span_id=data.draw(st.binary(min_size=8, max_size=8)),
                 start_time_unix_nano=nanos - 10**9, end_time_unix_nano=end)
            for attributes in spans
        )
    )  # fmt: skip
    answer = report(client, "/otlp/v1/traces", mia, body, "application/x-protobuf")
    assert (answer.status_code, answer.content) == (200, b"")
    for call in Call.objects.all():
        assert all(0 <= getattr(call, name, 0) <= 10**9 for name in TOKEN_FIELDS)
