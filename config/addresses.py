"""Finds out the IP address of the client that sent a request."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Returns the client's IP address, or None if it is unknown, as with a Unix socket.

    X-Forwarded-For counts only if a trusted proxy wrote it. Every proxy appends the address from which it got
    the request, so the last address that is not a trusted proxy's is the client's.
    """
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    hops.append(request.META.get("REMOTE_ADDR", ""))
    while len(hops) > 1 and hops[-1] in settings.TRUSTED_PROXIES:
        hops.pop()
    try:
        return str(ipaddress.ip_address(hops[-1]))
    except ValueError:  # a Unix socket, or a proxy with another format
        return None
