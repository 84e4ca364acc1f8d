"""What happens between a proxy's clients and its providers, once each, for a member of its own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.senders.cast import Member
from tests.senders.client import Client
from tests.senders.site import Site
from tests.senders.upstream import Asked, Upstream

# Each by its name; the clients see the status that is asserted here.
Scenario = Callable[[Client], None]


@dataclass
class Played:
    """A scenario that was played: for whom, and what the provider counted."""

    member: Member
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def play(site: Site, upstream: Upstream) -> Iterator[Played]:
    played = Played(site.next_member())
    before = len(upstream.asked)
    yield played
    played.asked = upstream.asked[before:]


def _chat(client: Client) -> None:
    assert client.chat("please answer this")[0] == 200


def _stream_with_usage(client: Client) -> None:
    assert client.chat("please answer in pieces", stream=True, stream_options={"include_usage": True})[0] == 200


def _stream(client: Client) -> None:
    assert client.chat("please answer in small pieces", stream=True)[0] == 200


def _stream_without_usage(client: Client) -> None:
    """The provider never tells its tokens, so LiteLLM counts them by itself."""
    assert client.chat("please answer without usage", stream=True)[0] == 200


def _embeddings(client: Client) -> None:
    assert client.embed("please embed this")[0] == 200


def _responses(client: Client) -> None:
    assert client.respond("please answer this")[0] == 200
    assert client.respond("please answer in pieces", stream=True)[0] == 200


def _stored_response(client: Client) -> None:
    """To read a response again is no call to a model."""
    status, answer = client.respond("please keep this")
    assert status == 200, answer
    assert client.read_response(answer["id"])[0] == 200


def _messages(client: Client) -> None:
    assert client.message("please answer this")[0] == 200
    assert client.message("please answer in pieces", stream=True)[0] == 200


def _chat_with_anthropic(client: Client) -> None:
    assert client.chat("please answer this", "claude-haiku-4-5", max_tokens=50)[0] == 200


def _failure(status: int) -> Scenario:
    def fail(client: Client) -> None:
        assert client.chat(f"please answer {status}")[0] == status
        assert client.chat(f"please answer {status} in pieces", stream=True)[0] == status
        assert client.message(f"please answer {status}")[0] == status
        assert client.respond(f"please answer {status}")[0] == status

    return fail


def _time_out(client: Client) -> None:
    assert client.chat("please answer never", "impatient")[0] == 408


def _fallback(client: Client) -> None:
    assert client.chat("please answer 500 from gpt-4o-mini", "assistant")[0] == 200


def _alias(client: Client) -> None:
    assert client.chat("please answer this", "assistant")[0] == 200


def _retry(client: Client) -> None:
    assert client.chat("please answer 500 once", num_retries=1)[0] == 200


def _chosen_id(client: Client) -> None:
    """A client may choose the id of its call, and choose it again for another."""
    for prompt in ("please answer one", "please answer two", "please answer three words more"):
        assert client.chat_with_id("of-my-own", prompt)[0] == 200


def _long_id(client: Client) -> None:
    assert client.chat_with_id("long" * 60, "please answer this")[0] == 200
    assert client.chat_with_id("long" * 60, "please answer that")[0] == 200


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "chat": _chat,
    "stream": _stream,
    "stream with usage": _stream_with_usage,
    "stream without usage": _stream_without_usage,
    "embeddings": _embeddings,
    "responses": _responses,
    "stored response": _stored_response,
    "messages": _messages,
    "chat with Anthropic": _chat_with_anthropic,
    "400": _failure(400),
    "401": _failure(401),
    "429": _failure(429),
    "500": _failure(500),
    "time-out": _time_out,
    "fallback": _fallback,
    "alias": _alias,
    "retry": _retry,
    "chosen id": _chosen_id,
    "long id": _long_id,
}
# The names that the models of a scenario are asked for by, where they are not the provider's own.
SHOWN_AS: Final[Mapping[str, Mapping[str, str]]] = {
    "time-out": {"gpt-4o-mini": "impatient"},
    "fallback": {"gpt-4o-mini": "assistant"},
    "alias": {"gpt-4o-mini": "assistant"},
}
