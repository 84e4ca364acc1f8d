"""What every program here begins and ends with, and the calls that it makes to the provider at UPSTREAM_URL."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

URL = os.environ["UPSTREAM_URL"]
FAILURES = (400, 401, 429, 500)


@contextmanager
def exporting() -> Iterator[None]:
    """Exports all spans of the block over HTTP, where the environment says."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


def call_openai(*, with_responses: bool = True) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{URL}/v1", api_key="sk-upstream", max_retries=0)
    chat = client.chat.completions.create
    chat(model="gpt-4o-mini", messages=_messages("please answer this"))
    usage = {"include_usage": True}
    for _chunk in chat(
        model="gpt-4o", messages=_messages("please answer in pieces"), stream=True, stream_options=usage
    ):
        pass
    client.embeddings.create(model="text-embedding-3-small", input="please embed this")
    if with_responses:
        client.responses.create(model="gpt-4o-mini", input="please answer that")
    for what in ("this", "that, too"):  # each with the same id of its response
        chat(model="gpt-4o-mini", messages=_messages(f"please answer like Ollama, {what}"))
    for status in FAILURES:
        _failing(
            openai.APIStatusError,
            lambda: chat(model="gpt-4o-mini", messages=_messages(f"please answer {status}")),  # noqa: B023  # at once
        )
    impatient = client.with_options(timeout=1).chat.completions.create
    _failing(
        openai.APITimeoutError,
        lambda: impatient(model="gpt-4o-mini", messages=_messages("please answer never")),
    )


def call_anthropic(*, with_helper: bool = True) -> None:
    """`with_helper`: also by the method that collects the pieces of a stream."""
    import anthropic

    client = anthropic.Anthropic(base_url=URL, api_key="sk-upstream", max_retries=0)
    asked: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 50}
    client.messages.create(messages=_messages("please answer this"), **asked)
    for _event in client.messages.create(messages=_messages("please answer in pieces"), stream=True, **asked):
        pass
    if with_helper:
        with client.messages.stream(messages=_messages("please answer in other pieces"), **asked) as stream:
            stream.get_final_message()
    client.messages.count_tokens(model="claude-haiku-4-5", messages=_messages("please count this"))
    for status in FAILURES:
        _failing(
            anthropic.APIStatusError,
            lambda: client.messages.create(messages=_messages(f"please answer {status}"), **asked),  # noqa: B023  # at once
        )


def call_langchain() -> None:
    """A chain above the SDK: two layers of one call, if both are traced."""
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_openai import ChatOpenAI

    to = {"base_url": f"{URL}/v1", "api_key": "sk-upstream", "max_retries": 0}
    model = ChatOpenAI(model="gpt-4o-mini", stream_usage=True, **to)
    chain = ChatPromptTemplate.from_messages([("human", "please answer {what}")]) | model
    chain.invoke({"what": "this"})
    chain.invoke({"what": "this too"})
    for _chunk in chain.stream({"what": "in pieces"}):
        pass


def _messages(prompt: str) -> Any:
    return [{"role": "user", "content": prompt}]


def _failing(error: type[Exception], call: Callable[[], object]) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f"{error.__name__} was expected.")
