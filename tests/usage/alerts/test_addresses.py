"""Where webhooks may lead: what is an address, and which hosts are the public internet's."""

import socket
from typing import Any

import pytest
from pytest_django import Settings

from usage.alerts.addresses import AddressError, WebhookTarget, endpoints_of, is_public, read_address

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104  # to be refused, not listened on
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]


@pytest.fixture(autouse=True)
def as_when_nothing_is_set(settings: Settings) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = False


@pytest.mark.parametrize("address", PRIVATE)
def test_inside_addresses_of_every_kind_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]"],
)
def test_a_host_that_leads_inside_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(AddressError, match="not on the public internet"):
        endpoints_of(read_address(f"http://{host}/"))


def test_a_setting_allows_them(settings: Settings) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    assert [one.address[0] for one in endpoints_of(read_address("http://127.0.0.1/"))] == ["127.0.0.1"]


def test_one_inside_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(host: Any, port: Any, **_kind: Any) -> list[tuple[Any, int, int, str, tuple[Any, Any]]]:
        return [(socket.AF_INET, 1, 6, "", (ip, port)) for ip in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with pytest.raises(AddressError, match=r"10\.0\.0\.1"):
        endpoints_of(read_address("https://both.example/"))


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(AddressError, match=r"The host no-such-host\.invalid cannot be found"):
        endpoints_of(read_address("https://no-such-host.invalid/secret"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example/a?b=1", WebhookTarget(True, "hooks.example", 443, "/a?b=1")),
        ("http://Hooks.Example", WebhookTarget(False, "hooks.example", 80, "/")),
        ("https://[2606:4700::1111]:8443/x#part", WebhookTarget(True, "2606:4700::1111", 8443, "/x")),
    ],
)
def test_an_address_is_read_into_its_parts(url: str, expected: WebhookTarget) -> None:
    assert read_address(url) == expected


def test_only_the_origin_may_be_shown() -> None:
    assert read_address("https://[2606:4700::1111]:8443/x").origin == "https://[2606:4700::1111]:8443"
    assert read_address("https://hooks.example/T0P-S3CRET").origin == "https://hooks.example"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Enter an address"),
        ("hooks.example/a", "Enter an address"),
        ("ftp://hooks.example/", "Enter an address"),
        ("file:///etc/passwd", "Enter an address"),
        ("javascript:alert(1)", "Enter an address"),
        ("gopher://127.0.0.1:25/", "Enter an address"),
        ("https://", "Enter an address"),
        ("https://hooks.example:port/", "Enter an address"),
        ("https://hooks.example:99999/", "Enter an address"),
        ("https://hooks.example:0/", "Port 0"),
        ("https://[::1/", "Enter an address"),
        ("https://user:password@hooks.example/", "Remove the user name"),
        ("https://hooks.example@127.0.0.1/", "Remove the user name"),
        ("https://hooks.example/a b", "without spaces"),
        ("https://hooks.example/\r\nX-Evil: 1", "without spaces"),
        ("https://hooks.example/\x00", "without spaces"),
        ("https://hööks.example/", "special characters"),
        ("https://hooks.example/" + "a" * 500, "At most 500"),
    ],
)
def test_what_is_no_address_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(AddressError, match=words):
        read_address(url)
