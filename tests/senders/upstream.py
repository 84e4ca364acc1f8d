"""A local provider of models, in the words of OpenAI and of Anthropic, that counts what it is really asked.

What it counts is the truth that Callboard's logs, statistics and quotas are compared with. The prompt says
how it answers: "answer 429", "answer 500 once", "answer 500 from gpt-4o-mini", "answer never", "answer
slowly", "answer without usage"; anything else is answered at once and well.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.senders.answers import ANSWERS, Event, Responses, Usage, error_body

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_SLOW_WORDS, _SLOW_SECONDS = 200, 0.1
_NEVER_SECONDS = 8  # longer than any time-out in these tests


@dataclass
class Asked:
    """One request for an answer of a model, and what became of it.

    `status` 499: whoever asked went away; 500 also where no answer came in time, which is the provider's failure.
    """

    path: str
    model: str
    prompt: str
    stream: bool
    status: int = 200
    usage: Usage = field(default_factory=Usage)


class Upstream(ThreadingHTTPServer):
    """The server; `asked` are the requests in the order in which they came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self.numbers = itertools.count(1000)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def is_first(self, prompt: str) -> bool:
        return sum(one.prompt == prompt for one in self.asked) == 1


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        yield upstream
    finally:
        upstream.shutdown()
        upstream.server_close()


class _Handler(BaseHTTPRequestHandler):
    """HTTP 1.0: the end of the connection is the end of an answer, streamed or not."""

    server: Upstream

    def do_GET(self) -> None:
        """A stored response, as it was answered: no call of a model, so nothing is counted."""
        number = int(self.path.rpartition("resp_")[2])
        self._send(200, Responses(number, "gpt-4o-mini", _input_tokens("please keep this")).whole(WORDS))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = json.loads(body)
        if self.path.partition("?")[0].endswith("/count_tokens"):
            self._send(200, {"input_tokens": _input_tokens(_prompt(body))})
            return
        asked = Asked(self.path.partition("?")[0], sent["model"], _prompt(body), sent.get("stream") is True)
        with self.server.lock:
            self.server.asked.append(asked)
        status = self._failure(asked)
        if status:
            asked.status = status
            self._send(status, error_body(asked.path, status))
        elif "answer never" in asked.prompt:
            self._keep_waiting(asked)
        else:
            self._answer(asked, sent)

    def _failure(self, asked: Asked) -> int:
        found = re.search(r"answer (\d{3})( once| from (\S+))?", asked.prompt)
        if found is None:
            return 0
        code, condition, model = found.groups()
        met = self.server.is_first(asked.prompt) if condition == " once" else model in (None, asked.model)
        return int(code) if met else 0

    def _keep_waiting(self, asked: Asked) -> None:
        asked.status = 500
        time.sleep(_NEVER_SECONDS)

    def _answer(self, asked: Asked, sent: dict[str, Any]) -> None:
        slow = "answer slowly" in asked.prompt
        with self.server.lock:
            number = 213 if "like Ollama" in asked.prompt else next(self.server.numbers)
        answer = ANSWERS[re.sub(r"^(/v1)?", "", asked.path)](number, asked.model, _input_tokens(asked.prompt))
        if not asked.stream:
            asked.usage = answer.usage
            self._send(200, answer.whole(WORDS))
            return
        words = [WORDS[index % 10] for index in range(_SLOW_WORDS)] if slow else WORDS
        tells = "without usage" not in asked.prompt and answer.tells_usage(sent)
        asked.usage = answer.usage if tells else answer.usage.untold()
        sent_words = 0
        try:
            for _event in self._stream(answer.events(words, tells), _SLOW_SECONDS if slow else 0):
                sent_words += 1
        except OSError:
            asked.status, asked.usage = 499, replace(answer.usage.untold(), output=sent_words)

    def _stream(self, events: Iterator[Event], pause: float) -> Iterator[Event]:
        """Sends the events, and yields each that was sent. Raises OSError when nobody listens any more."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for name, event in events:
            head = f"event: {name}\n" if name else ""
            self.wfile.write(f"{head}data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
            yield name, event
            time.sleep(pause)
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass  # standard error belongs to the tests


def _prompt(body: bytes) -> str:
    """The part of the body that tells how to answer: from "please" to the end of the string."""
    found = re.search(rb"please [^\"]*", body)
    assert found, f"No prompt of ours: {body[:2000]!r}"
    return found[0].decode()


def _input_tokens(prompt: str) -> int:
    """One for each word, and the seven that a chat message costs at OpenAI beside its words."""
    return 7 + len(prompt.split())
