"""The IP address of the client."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Returns the client's IP address. X-Forwarded-For counts only if a trusted proxy wrote it.

    Every proxy appends the address it saw, so the last entry that is not a trusted proxy is the client.
    """
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    hops.append(request.META.get("REMOTE_ADDR", ""))
    while len(hops) > 1 and hops[-1] in settings.TRUSTED_PROXIES:
        hops.pop()
    try:
        return str(ipaddress.ip_address(hops[-1]))
    except ValueError:  # a Unix socket, or a proxy with another format
        return None
