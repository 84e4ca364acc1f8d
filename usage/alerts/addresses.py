"""Checks the addresses of webhooks and resolves their hosts.

A webhook makes this server connect to an address that a user chose, so it must not reach what only this server
can reach. For each delivery the host name is resolved once, the IP address is checked, and exactly that IP
address is connected to. So a name that changes in between has no effect.
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
# The NAT64 network: the last 32 bits of its IPv6 addresses are the IPv4 address that packets are translated to.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# The whole IPv6 space that is assigned to the public internet.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")


class AddressError(ValueError):
    """The address is not one to which alerts may be sent; the message says why, without path or query."""


@dataclass(frozen=True)
class WebhookTarget:
    """The parts of a webhook's address. `path` includes the query."""

    is_https: bool
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """The part of the address that may be shown and logged; path and query may be secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (443 if self.is_https else 80) else f":{self.port}"
        return f"{'https' if self.is_https else 'http'}://{host}{port}"


@dataclass(frozen=True)
class Endpoint:
    """An IP address and port of the target's host, as `socket.getaddrinfo` returns them."""

    family: int
    address: tuple[Any, ...]


def read_address(text: str) -> WebhookTarget:
    """Parses the address of a webhook. Raises AddressError if it is not valid."""
    if len(text) > LONGEST:
        raise AddressError(_("At most %d characters.") % LONGEST)
    if not text.isascii() or any(character.isspace() or not character.isprintable() for character in text):
        raise AddressError(
            _("Enter the address without spaces and special characters, as copied from a browser.")
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressError(_("Enter an address such as https://hooks.example.com/callboard.")) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise AddressError(_("Enter an address such as https://hooks.example.com/callboard."))
    if "@" in parts.netloc:
        raise AddressError(_("Remove the user name and password: they are not sent."))
    if port == 0:
        raise AddressError(_("Port 0 is not valid."))
    is_https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookTarget(is_https, host, port or (443 if is_https else 80), path)


def endpoints_of(target: WebhookTarget) -> list[Endpoint]:
    """Resolves the host name to its IP addresses.

    Raises AddressError if there are none, or if one of them is not public and the setting
    WEBHOOKS_MAY_BE_PRIVATE does not allow that.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the host is unknown, or its name is not valid
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
    """Whether an IP address belongs to the public internet.

    If an IPv6 address contains an IPv4 address, that one must be public.
    """
    address = ipaddress.ip_address(text)
    inner = _inner(address)
    if inner is not None:
        return is_public(str(inner))
    if isinstance(address, ipaddress.IPv6Address) and address not in _GIVEN_OUT:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: Address) -> Address | None:
    """Returns the IPv4 address that packets to an IPv6 address are translated to; None if there is none."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
