"""Sends one HTTP POST to a webhook's address: to exactly the checked IP address, within a time limit.

It uses the standard library, because other HTTP clients decide themselves what must be controlled here: to
which IP address they connect, that redirects and proxy settings are ignored, and that a response that arrives
byte by byte is cut off.
"""

import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

from django.utils.translation import gettext as _

from usage.alerts.addresses import AddressError, Endpoint, WebhookTarget, endpoints_of, read_address

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
# Maximum size of the status line and headers. The body is not read: only the status counts.
_MOST_BYTES = 16 * 1024


@dataclass(frozen=True)
class Answer:
    """The result of a request.

    `status` is None if there was no response. `error` is "" on success, otherwise the reason for the failure.
    """

    status: int | None = None
    error: str = ""
    took_ms: int = 0


class _Deadline:
    """The time limit of a whole request, counted from its creation."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, most: float = TOTAL_SECONDS) -> float:
        """Returns the remaining seconds, at most `most`. Raises TimeoutError if none are left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)


class _TimedReader(io.RawIOBase):
    """Reads from a socket until the deadline, and at most 16 KB.

    The time-out of the socket itself is not enough, because it restarts with every byte.
    """

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self._socket, self._deadline, self._left = connected, deadline, _MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise HTTPException
        self._socket.settimeout(self._deadline.left())
        count = self._socket.recv_into(buffer)
        self._left -= count
        return count

    def makefile(self, *_args: Any) -> io.BufferedReader:
        """Returns the buffered stream that `HTTPResponse` reads from; it expects a socket with this method."""
        return io.BufferedReader(self)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Posts a JSON body and returns the result.

    Network failures and bad responses are returned as an Answer with an error, not raised.
    """
    started = time.monotonic()
    status, error = None, ""
    try:
        target = read_address(url)
        status = _post(target, endpoints_of(target), body, headers)
        error = _refusal(status)
    except AddressError as wrong:
        error = str(wrong)
    except TimeoutError:
        error = _("No answer within %d seconds.") % TOTAL_SECONDS
    except ssl.SSLCertVerificationError as wrong:
        error = _("The certificate is not valid: %s.") % wrong.verify_message
    except ssl.SSLError as wrong:
        error = _("TLS failed: %s.") % (wrong.reason or _("no reason given"))
    except OSError as wrong:
        error = _("No connection: %s.") % (wrong.strerror or _("the other side closed it"))
    except HTTPException:
        error = _("The answer is not HTTP.")
    return Answer(status, error[:300], round(1000 * (time.monotonic() - started)))


def _refusal(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return (
            _("The receiver redirects (%d), which is not followed. Enter the address that it redirects to.")
            % status
        )
    return _("The receiver answered %d.") % status


def _post(target: WebhookTarget, endpoints: list[Endpoint], body: bytes, headers: Mapping[str, str]) -> int:
    """Sends the request to one of the checked endpoints and returns the HTTP status of the response."""
    deadline = _Deadline(TOTAL_SECONDS)
    connected = _connect(endpoints, deadline)
    try:
        if target.is_https:
            connected.settimeout(deadline.left())
            connected = _tls().wrap_socket(connected, server_hostname=target.host)
        kind = HTTPSConnection if target.is_https else HTTPConnection
        connection = kind(target.host, target.port)
        connection.sock = connected  # the checked connection, so that http.client does not open another
        connected.settimeout(deadline.left())
        connection.request("POST", target.path, body, {"Content-Type": "application/json", **headers})
        response = HTTPResponse(_TimedReader(connected, deadline), method="POST")  # type: ignore[arg-type]
        response.begin()
        return response.status
    finally:
        connected.close()


@cache
def _tls() -> ssl.SSLContext:
    """Returns a TLS context that verifies certificates with the machine's trust store.

    It is cached, because loading it is slow.
    """
    return ssl.create_default_context()


def _connect(endpoints: list[Endpoint], deadline: _Deadline) -> socket.socket:
    """Connects to the first endpoint that accepts; raises the last OSError if none does."""
    problem: OSError = OSError()
    for endpoint in endpoints:
        opened = socket.socket(endpoint.family, socket.SOCK_STREAM)
        try:
            opened.settimeout(deadline.left(CONNECT_SECONDS))
            opened.connect(endpoint.address)
        except OSError as error:
            opened.close()
            problem = error
        else:
            return opened
    raise problem
