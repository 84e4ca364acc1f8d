"""Where a webhook may lead: its address as people type it, and the hosts that it stands for.

A webhook makes this server connect somewhere for whoever set it up, so it must not reach what only this
server can reach. What a name stands for is asked once for each delivery, judged, and connected to as it was
judged: a name that changes in between changes nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

LONGEST = 500
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# The IPv6 network whose last 32 bits are an IPv4 address that a translator (NAT64) passes packets on to.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# All of the IPv6 space that is given out to the public internet.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")


class AddressError(ValueError):
    """Not an address that alerts may be sent to; the message says why. It never repeats path or query."""


@dataclass(frozen=True)
class Target:
    """A webhook's address in parts. `path` has the query with it."""

    is_https: bool
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """What may be shown and logged: path and query may be a secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (443 if self.is_https else 80) else f":{self.port}"
        return f"{'https' if self.is_https else 'http'}://{host}{port}"


@dataclass(frozen=True)
class Endpoint:
    """One of the sockets that a target's host stands for, as `socket.getaddrinfo` gives them."""

    family: int
    address: tuple[Any, ...]


def read_address(text: str) -> Target:
    """The parts of an address. Raises AddressError for what is none."""
    if len(text) > LONGEST:
        raise AddressError(_("At most %d characters.") % LONGEST)
    if not text.isascii() or any(character.isspace() or not character.isprintable() for character in text):
        raise AddressError(_("Write it without spaces and special characters, as a browser copies it."))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressError(_("Write an address such as https://hooks.example.com/callboard.")) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise AddressError(_("Write an address such as https://hooks.example.com/callboard."))
    if "@" in parts.netloc:
        raise AddressError(_("Leave out the user name and password: they are not sent."))
    if port == 0:
        raise AddressError(_("There is no port 0."))
    is_https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_https, host, port or (443 if is_https else 80), path)


def endpoints_of(target: Target) -> list[Endpoint]:
    """What the host stands for at this moment. Raises AddressError when it stands for nothing, or when any of
    it is inside a network of its own and the setting does not allow that."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # unknown, or no name that could be asked for
        raise AddressError(_("The host %(host)s cannot be found.") % {"host": target.host[:100]}) from error
    endpoints = [Endpoint(family, address) for family, _kind, _protocol, _name, address in found]
    for endpoint in endpoints:
        if not (settings.WEBHOOKS_MAY_BE_PRIVATE or is_public(str(endpoint.address[0]))):
            raise AddressError(
                _(
                    "%(host)s leads to %(address)s, which is not on the public internet. Alerts are only sent "
                    "there if the site's CALLBOARD_WEBHOOKS_MAY_BE_PRIVATE allows it."
                )
                % {"host": target.host[:100], "address": endpoint.address[0]}
            )
    return endpoints


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet, also where it hides another in it."""
    address = ipaddress.ip_address(text)
    inner = _inner(address)
    if inner is not None:
        return is_public(str(inner))
    if isinstance(address, ipaddress.IPv6Address) and address not in _GIVEN_OUT:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: Address) -> Address | None:
    """The IPv4 address that packets to an IPv6 address end up at; None if it hides none."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
