"""Real receivers of webhooks: servers on this machine, each with a way of its own to answer."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """A server that keeps what it got. `statuses` are its next answers; the last one stays."""

    statuses: list[int] = field(default_factory=lambda: [200])
    location: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/T0P-S3CRET?key=1"

    def next_status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def receiving(
    receiver: Receiver, wrap: Callable[[socket.socket], socket.socket] | None = None
) -> Iterator[Receiver]:
    """Serves it; `wrap` makes TLS of the listening socket."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server calls it so
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(receiver.next_status())
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if wrap:
        server.socket = wrap(server.socket)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def raw_server(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A server that reads a request and then answers byte by byte as `answer` likes; its address."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                client, _address = listener.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                with suppress(OSError):  # the sender hangs up, as it should
                    answer(client, stop)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=_forever(serve, stop))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            stop.set()
            thread.join(10)


def _forever(serve: Callable[[], None], stop: threading.Event) -> Callable[[], None]:
    def run() -> None:
        while not stop.is_set():
            serve()

    return run


def hang(_client: socket.socket, stop: threading.Event) -> None:
    """Never answers."""
    stop.wait(30)


def drip(client: socket.socket, stop: threading.Event) -> None:
    """Answers a header that never ends, a byte at a time: each within any time-out for one read."""
    client.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while not stop.is_set():
        client.sendall(b"a")
        time.sleep(0.02)


def flood(client: socket.socket, stop: threading.Event) -> None:
    """Sends headers without end, as fast as it can."""
    client.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stop.is_set():
        client.sendall(b"X-Flood: " + b"a" * 5000 + b"\r\n")


def babble(client: socket.socket, _stop: threading.Event) -> None:
    """Is no HTTP server."""
    client.sendall(b"220 mail.example.org ESMTP\r\n")


def hang_up(_client: socket.socket, _stop: threading.Event) -> None:
    """Closes without a word."""
