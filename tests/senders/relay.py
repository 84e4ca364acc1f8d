"""What stands between a sender and Callboard: passes requests on, and keeps what was sent.

Like a proxy with TLS in production it answers 502 while Callboard is down.
"""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_NOT_PASSED_ON = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


@dataclass(frozen=True)
class Post:
    """A report as it was sent, and the status that it was answered with."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


class Relay(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.callboard_port = port
        self.posts: list[Post] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def send(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.callboard_port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()
        except OSError:
            return 502, {}, b""
        finally:
            connection.close()


@contextmanager
def running_relay(port: int) -> Iterator[Relay]:
    """A relay to the Callboard that listens at `port`."""
    relay = Relay(port)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    try:
        yield relay
    finally:
        relay.shutdown()
        relay.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Relay

    def do_GET(self) -> None:
        self._pass_on("GET", b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self._pass_on("POST", body)
        self.server.posts.append(Post(self.path, dict(self.headers), body, status, answer))

    def _pass_on(self, method: str, body: bytes) -> tuple[int, bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        status, told, answer = self.server.send(method, self.path, headers, body)
        self.send_response(status)
        for name, value in told.items():
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        return status, answer

    def log_message(self, *_args: object) -> None:
        pass  # standard error belongs to the tests
