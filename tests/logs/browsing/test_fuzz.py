"""Any query string at all, at every address that reads the logs: an answer, and never anybody else's data."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from logs.search.filters import CallFilterSet
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.browsing.test_bad_input import FIELDS, NASTY

pytestmark = pytest.mark.usefixtures("now")
NAMES = [
    *FIELDS,
    "compare",
    "granularity",
    "since",
    "added",
    "format",
    "limit",
    "team",
    "by",
    "page",
    "name[]",
    "",
]
# Values that are right somewhere, so that questions get past the form.
SENSIBLE = [
    *(
        "24h",
        "90d",
        "last-month",
        "2026-11-20T10:00",
        "2026-11-20T11:59:59.5+01:00",
        "2026-10-25T02:30",
        "hour",
    ),
    *("test", "live", "yes", "no", "1", "0", "200", "500", "999", "429", "succeeded", "server_error", "none"),
    *("latency", "cost", "oldest", "csv", "ndjson", "own-model", "foreign-model", "azure", "x", "10.0.0.9"),
]
# As bytes that are no UTF-8: cut short, too long, half a surrogate, above Unicode.
BROKEN = [
    b"\xff",
    b"\xc3",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x00",
    b"a\x00b",
    b"\r\nSet-Cookie: x",
]
RAW = [
    *(
        "%",
        "%%",
        "%zz",
        "%u0041",
        "&&&;;",
        "===",
        "?a",
        "from",
        "from=&to",
        "cursor=%00",
        "member=%FF&member=%C3(",
    ),
    *(
        "model=" + "x" * 10_000,
        "&".join(f"model=m{n}" for n in range(900)),
        "&" * 1_500,
        "status=" + "9" * 5_000,
    ),
    *("error=%25%5F%5C&tag=%25", "request=%F0%9F%92%A9", "a" * 5_000 + "=1", "latency_from=١٢&latency_to=²"),
]
values = st.one_of(
    st.sampled_from(SENSIBLE).map(quote),
    st.sampled_from(NASTY).map(quote),
    st.sampled_from(BROKEN).map(quote_from_bytes),
    st.integers(-(10**40), 10**40).map(str),
    st.decimals().map(str).map(quote),
    st.text(max_size=20).map(quote),
    st.binary(max_size=8).map(quote_from_bytes),
)
pairs = st.tuples(st.sampled_from(NAMES), values).map("=".join)
# As servers hand them over: bytes, one character each.
queries = (st.lists(pairs, max_size=6).map("&".join) | st.sampled_from(RAW)).map(
    lambda query: query.encode().decode("latin-1")
)
places = st.sampled_from(
    [
        "list",
        "export",
        "latency",
        "tail",
        "detail",
        *(f"choices {name}" for name, one in CallFilterSet.base_filters.items() if one.choices),
    ]
)
# In every text of the calls that the one who asks must not see.
MARK = "othersonly"
FUZZED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def recorded(cast: Cast, record: Any, token_of: Callable[..., tuple[Token, str]]) -> Any:
    """A call of Mia's, who asks, and calls of others that she must never see."""
    own = record("member", "own-id", model="own-model", tags=["own"], session_id="own", provider="own")
    others = {
        name: f"{MARK}-{name}"
        for name in ("model", "provider", "endpoint", "channel", "session_id", "error_type")
    }
    record(
        "owner", f"{MARK}-id", status=500, error_message=f"{MARK}-words", tags=[MARK], ip="10.0.0.9", **others
    )
    outside = token_of("outsider", team=cast.other_team)[0]
    record("outsider", f"{MARK}-outside", token=outside, tags=[f"{MARK}-tag"], status=429, **others)
    return own


@pytest.fixture
def browser(client_of: Callable[..., Client]) -> Client:
    """Mia's, signed in once."""
    return client_of("member")


def address(cast: Cast, place: Any, call: Any) -> Any:
    name, _space, choice = place.partition(" ")
    return reverse(
        f"logs:{name}", args=[cast.team.slug, *([choice] if choice else [])] + [call.id] * (name == "detail")
    )


def text_of(response: Any) -> str:
    assert response.status_code in {200, 204, 302, 400, 403, 404, 422}, response.status_code
    content = response.getvalue() if response.streaming else response.content
    return content.decode()


def assert_hides_others(text: str) -> None:
    """Nothing of others' calls, and no text as markup."""
    assert MARK not in text
    assert "<script>alert" not in text


@FUZZED
@given(place=places, query=queries, is_part=st.booleans())
@example(place="tail", query="since=2026-11-20T11:59:50%2B00:00&mode=live&live=1", is_part=True)
def test_any_query_is_answered_and_shows_nothing_of_others(
    cast: Cast, recorded: Any, browser: Client, place: Any, query: Any, is_part: bool
) -> None:
    headers = {"HX-Request": "true"} if is_part else {}
    response = browser.get(address(cast, place, recorded), QUERY_STRING=query, headers=headers)
    assert_hides_others(text_of(response))


@FUZZED
@given(query=queries, accept=st.sampled_from(["application/json", "text/csv", "application/x-ndjson", "\xff"]))
@example(query="period=%3Cscript%3Ealert%281%29%3C/script%3E", accept="text/html")
def test_the_api_answers_any_query_and_shows_nothing_of_others(
    cast: Cast, recorded: Any, client: Client, mia: str, query: Any, accept: Any
) -> None:
    headers = {"Authorization": f"Bearer {mia}", "Accept": accept}
    response = client.get("/api/v1/calls", QUERY_STRING=query, headers=headers)
    assert MARK not in text_of(response)
    # It may say what it was asked, since no browser takes it for markup.
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"].partition(";")[0] in {
        "application/json",
        "text/csv",
        "application/x-ndjson",
    }
