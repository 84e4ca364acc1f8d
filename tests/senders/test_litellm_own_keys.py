"""A LiteLLM proxy with keys of its own: what it knows of a key says whose call it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.senders.client import Client
from tests.senders.proxy import running_proxy
from tests.senders.scenarios import play
from tests.senders.site import Site, of_calls, of_upstream
from tests.senders.upstream import Upstream

# LiteLLM keeps its keys in PostgreSQL. This gives what it reads there: of the key "sk-ADDRESS" the user's address and
# the team in the metadata, of the key "sk-tok_ID" a token in the metadata.
OWN_KEYS = """
from litellm.proxy._types import UserAPIKeyAuth


async def user_api_key_auth(request, api_key):
    named = api_key.removeprefix("sk-")
    if named.startswith("tok_"):
        return UserAPIKeyAuth(api_key=api_key, metadata={"callboard_token": named})
    return UserAPIKeyAuth(api_key=api_key, user_email=named, metadata={"callboard_team": "harbour-research"})
"""


@pytest.fixture(scope="module")
def url(site: Site, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running_proxy(tmp_path_factory.mktemp("litellm"), site, upstream, auth=OWN_KEYS) as url:
        yield url


@pytest.mark.parametrize("named_by", ["email", "token"])
def test_calls_are_those_of_the_member_or_token_that_the_key_names(
    url: Any, site: Site, upstream: Upstream, named_by: str
) -> None:
    with play(site, upstream) as played:
        key = f"sk-{getattr(played.member, named_by)}"
        status, answer = Client(url, played.member, key).chat("please answer this")
        assert status == 200, answer
    calls = site.calls_once_there_are(1, played.member)
    assert of_calls(calls) == of_upstream(played.asked)
    assert [call["token"] for call in calls] == [played.member.token if named_by == "token" else None]


def test_the_body_of_a_request_cannot_charge_a_colleague(url: Any, site: Site, upstream: Upstream) -> None:
    colleague = site.next_member()
    with play(site, upstream) as played:
        named: dict[str, Any] = {
            "user": colleague.email,
            "metadata": {"user_api_key_user_email": colleague.email},
        }
        client = Client(url, played.member, f"sk-{played.member.email}")
        assert client.chat("please answer this", **named)[0] == 200
    site.calls_once_there_are(1, played.member)
    assert site.calls(colleague) == []
