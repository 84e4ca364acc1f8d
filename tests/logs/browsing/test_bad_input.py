"""Whatever an address says, it is answered: with a message in the page or with harmless text, never with 500."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.search.filters import CallFilterSet
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("now")
NASTY = [
    "'; DROP TABLE logs_call; --",
    "<script>alert(1)</script>",
    "%_\\",
    "\x00",
    "x" * 10_000,
    "-1",
    "9" * 40,
    "NaN",
    "1e400",
    "²",
    "\ud7ff\U0010ffff",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
]
FIELDS = [
    *(
        "period",
        "mode",
        "from",
        "to",
        "member",
        "model",
        "token",
        "outcome",
        "status",
        "latency_from",
        "latency_to",
    ),
    *(
        "ttft_from",
        "ttft_to",
        "tokens_from",
        "tokens_to",
        "cost_from",
        "cost_to",
        "stream",
        "provider",
        "endpoint",
    ),
    *(
        "channel",
        "error_type",
        "error",
        "ip",
        "session",
        "tag",
        "request",
        "unpriced",
        "sort",
        "cursor",
        "q",
        "live",
    ),
]


@pytest.fixture
def url(cast: Cast) -> Any:
    return reverse("logs:list", args=[cast.team.slug])


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_takes_every_text(
    cast: Cast, record: Any, client_of: Callable[..., Client], url: Any, field: Any
) -> None:
    record("owner", "a")
    client = client_of("owner")
    for text in NASTY:
        addresses = [url, reverse("logs:choices", args=[cast.team.slug, "model"])]
        for address in [*addresses, reverse("logs:latency", args=[cast.team.slug])]:
            response = client.get(address, {field: text})
            assert response.status_code == 200, (field, text[:30])
            assert "<script>alert" not in response.content.decode()
        assert client.get(reverse("logs:tail", args=[cast.team.slug]), {field: text}).status_code in {
            200,
            204,
            400,
        }
        response = client.get(reverse("logs:export", args=[cast.team.slug]), {field: text, "format": "csv"})
        assert response.status_code in {200, 422}
        response.getvalue()  # a stream is written while it is read


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"from": "2026-11-20T10:00", "to": "2026-11-20T09:00"}, "The end must be after the start."),
        ({"from": "2026-11-20T10:00", "to": "2026-11-20T10:00"}, "The end must be after the start."),
        ({"from": "2010-01-01", "to": "2026-01-01"}, "ten years"),
        ({"from": "0001-01-01", "to": "0002-01-01"}, "The year is out of range"),
        ({"from": "9999-12-31T23:59", "to": "9999-12-31T23:59"}, "The year is out of range"),
        ({"from": "yesterday", "to": "2026-11-20"}, "Enter a time such as"),
        ({"from": "2026-11-20"}, "both the start and the end"),
        ({"latency_from": "10", "latency_to": "5"}, "must not be below its start"),
        ({"cost_from": "-1"}, "greater than or equal to 0"),
        ({"outcome": "exploded"}, "There is no outcome “exploded”"),
        ({"status": "20x"}, "is not an HTTP status"),
        ({"member": "usr_nobody"}, "There is no member"),
        ({"token": "tok_nobody"}, "There is no token"),
        ({"error": "x" * 201}, "at most 200 characters"),
        ({"ip": "10.1.2"}, "Enter an IP address such as"),
        ({"ip": "fe80::1%eth0"}, "Enter an IP address such as"),
        ({"cursor": "made-up"}, "There is no such page"),
        ({"model": [str(n) for n in range(201)]}, "at most 200"),
    ],
)
def test_what_is_wrong_is_said_in_the_page(
    client_of: Callable[..., Client], url: Any, asked: dict[str, str] | dict[str, list[str]], words: str
) -> None:
    response = client_of("owner").get(url, asked)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert "page" not in response.context


def test_somebody_of_another_team_is_unknown_here(
    cast: Cast, client_of: Callable[..., Client], url: Any
) -> None:
    text = client_of("owner").get(url, {"member": cast.outsider.public_id}).content.decode()
    assert "There is no member" in text
    assert "Otto" not in text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30) | st.sampled_from(NASTY), max_size=5)
)
def test_any_combination_of_texts_is_answered(
    cast: Cast, record: Any, client_of: Callable[..., Client], asked: Any
) -> None:
    address = reverse("logs:list", args=[cast.team.slug])
    assert client_of("owner").get(address, asked).status_code == 200


def test_the_list_of_fields_above_is_complete(cast: Cast, now: datetime) -> None:
    from django.http import QueryDict

    from teams.access import Access

    form = CallFilterSet(QueryDict(), access=Access(cast.team, cast.owner, "owner"), now=now)
    assert set(form.form.fields) - set(FIELDS) == {"compare", "granularity"}
