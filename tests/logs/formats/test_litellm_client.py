"""The litellm package itself posts to a small server: what really arrives is read as it should be."""

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.test import RequestFactory

from logs.formats.bodies import read_records
from logs.formats.litellm import parse_payload
from logs.formats.reported import ReportedCall

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # read when litellm is imported: no look outside


class PostServer(HTTPServer):
    """Keeps what was posted: headers and body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.posts: list[tuple[Any, bytes]] = []


class Receiver(BaseHTTPRequestHandler):
    server: PostServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.headers, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        pass  # standard error belongs to the tests


@pytest.fixture
def receiver() -> Iterator[PostServer]:
    server = PostServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def _call(port: int, log_format: str) -> None:
    """Three calls by way of litellm: one good, one throttled, one streamed."""
    import litellm
    from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

    logger = GenericAPILogger(
        endpoint=f"http://127.0.0.1:{port}/api/v1/litellm",
        headers={"Authorization": "Bearer cb_live_x"},
        log_format=log_format,
    )
    messages = [{"role": "user", "content": "secret question"}]
    litellm.suppress_debug_info = True
    litellm.callbacks = [logger]
    try:
        await litellm.acompletion(
            model="openai/gpt-4o-mini", messages=messages, mock_response="secret answer",
            user="mia@example.org", metadata={"tags": ["nightly"]},
        )  # fmt: skip
        with pytest.raises(litellm.RateLimitError):
            await litellm.acompletion(
                model="openai/gpt-4o-mini", messages=messages, mock_response="litellm.RateLimitError"
            )
        stream = await litellm.acompletion(
            model="openai/gpt-4o-mini",
            messages=messages,
            mock_response="a secret in pieces",
            stream=True,
        )
        async for _piece in stream:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            while len(logger.log_queue) < 3:
                await asyncio.sleep(0.05)
        await logger.flush_queue()
    finally:
        litellm.callbacks = []


def received(server: PostServer) -> list[ReportedCall]:
    calls = []
    for headers, body in server.posts:
        assert headers["Authorization"] == "Bearer cb_live_x"
        request = RequestFactory().post("/api/v1/litellm", body, content_type=headers["Content-Type"])
        records = read_records(request, json_may_be_lines=True)
        calls += [parse_payload(record, datetime.now(UTC)) for record in records]
    return calls


@pytest.mark.parametrize("log_format", ["json_array", "ndjson", "single"])
def test_what_litellm_posts_is_read(receiver: PostServer, log_format: str) -> None:
    asyncio.run(_call(receiver.server_port, log_format))
    calls = received(receiver)
    assert len(receiver.posts) == (3 if log_format == "single" else 1)
    by_kind = {(call.status, call.stream): call for call in calls}
    good, throttled, streamed = by_kind[200, False], by_kind[429, False], by_kind[200, True]

    assert (good.model, good.provider, good.endpoint) == ("gpt-4o-mini", "openai", "chat")
    assert (good.input_tokens, good.output_tokens, good.cost_nanos) == (10, 20, 13_500)
    assert (good.member, good.tags, good.ttft_ms) == ("mia@example.org", ["nightly"], None)
    assert good.latency_ms is not None
    assert (throttled.has_error, throttled.error_type) == (True, "RateLimitError")
    assert throttled.cost_nanos is None
    assert streamed.ttft_ms is not None
    assert streamed.ttft_ms <= streamed.latency_ms
    assert len({call.request_id for call in calls}) == 3
    assert "secret" not in repr(calls)
