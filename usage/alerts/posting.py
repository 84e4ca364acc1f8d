"""One HTTP request to a webhook's address: to the very host that was judged, within a time, no further.

By the standard library, because what matters here is what other clients decide by themselves: which address
is connected to, that no redirect is followed, no proxy of the environment used, and that an answer which
comes drop by drop is cut off.
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

from usage.alerts.addresses import AddressError, Endpoint, Target, endpoints_of, read_address

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
# Of the answer's status line and headers. What it says beyond them is not read: the status is all that counts.
_MOST_BYTES = 16 * 1024


@dataclass(frozen=True)
class Answer:
    """What came of it. `status` None: no answer. `error` "" if the receiver took it, else why it did not."""

    status: int | None = None
    error: str = ""
    took_ms: int = 0


class _Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, most: float = TOTAL_SECONDS) -> float:
        """Seconds, at most `most`. Raises TimeoutError when none are left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)


class _TimedReader(io.RawIOBase):
    """Reads so much of a socket until the deadline; a socket's own time-out starts again with every byte."""

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
        """What `HTTPResponse` asks a socket for."""
        return io.BufferedReader(self)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Posts JSON and says what came of it; whatever goes wrong outside is an Answer, not an error."""
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
        return _("It redirects (%d), which is not followed: give the address that it leads to.") % status
    return _("The receiver answered %d.") % status


def _post(target: Target, endpoints: list[Endpoint], body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer."""
    deadline = _Deadline(TOTAL_SECONDS)
    connected = _connect(endpoints, deadline)
    try:
        if target.is_https:
            connected.settimeout(deadline.left())
            connected = _tls().wrap_socket(connected, server_hostname=target.host)
        kind = HTTPSConnection if target.is_https else HTTPConnection
        connection = kind(target.host, target.port)
        connection.sock = connected  # so it opens none of its own
        connected.settimeout(deadline.left())
        connection.request("POST", target.path, body, {"Content-Type": "application/json", **headers})
        response = HTTPResponse(_TimedReader(connected, deadline), method="POST")  # type: ignore[arg-type]
        response.begin()
        return response.status
    finally:
        connected.close()


@cache
def _tls() -> ssl.SSLContext:
    """Checks certificates by what the machine trusts, which takes some time to read."""
    return ssl.create_default_context()


def _connect(endpoints: list[Endpoint], deadline: _Deadline) -> socket.socket:
    """A connection to the first endpoint that takes one. Raises OSError of the last that does not."""
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
