"""One request to a receiver, real ones of every kind: what is sent where, and what comes of it."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from tests.usage.alerts.receivers import (
    Receiver,
    babble,
    drip,
    flood,
    hang,
    hang_up,
    raw_server,
    receiving,
)
from usage.alerts import posting
from usage.alerts.posting import post

BODY = b'{"text": "hello"}'


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total time of a second, so that tests need not wait for ten."""
    monkeypatch.setattr(posting, "TOTAL_SECONDS", 1)


def test_it_posts_the_body_with_its_headers_to_the_whole_address(receiver: Receiver) -> None:
    answer = post(receiver.url, BODY, {"webhook-id": "msg_1"})
    assert (answer.status, answer.error) == (200, "")
    ((path, headers, body),) = receiver.got
    assert (path, body) == ("/hooks/T0P-S3CRET?key=1", BODY)
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "msg_1"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [201, 204])
def test_any_2xx_is_taken(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    assert post(receiver.url, BODY, {}).error == ""


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_any_other_answer_is_told(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    answer = post(receiver.url, BODY, {})
    assert (answer.status, answer.error) == (status, f"The receiver answered {status}.")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_named_and_not_followed(receiver: Receiver, status: int) -> None:
    with receiving(Receiver()) as elsewhere:
        receiver.statuses, receiver.location = [status], elsewhere.url
        answer = post(receiver.url, BODY, {})
        assert answer.status == status
        assert "redirects" in answer.error
        assert elsewhere.got == []


@pytest.mark.parametrize("behaviour", [hang, drip])
def test_one_that_hangs_or_drips_is_cut_off(impatient: None, behaviour: Any) -> None:
    with raw_server(behaviour) as url:
        started = time.monotonic()
        answer = post(url, BODY, {})
        assert time.monotonic() - started < 5
    assert (answer.status, answer.error) == (None, "No answer within 1 seconds.")


@pytest.mark.parametrize("behaviour", [babble, flood])
def test_what_is_not_http_or_too_much_is_told(behaviour: Any) -> None:
    with raw_server(behaviour) as url:
        assert post(url, BODY, {}).error == "The answer is not HTTP."


def test_one_that_hangs_up_is_told() -> None:
    with raw_server(hang_up) as url:
        assert post(url, BODY, {}).error.startswith("No connection")


def test_nobody_listening_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert post(url, BODY, {}).error == "No connection: Connection refused."


def test_an_inside_address_is_not_connected_to(receiver: Receiver, settings: Settings) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    assert "not on the public internet" in post(receiver.url, BODY, {}).error
    assert receiver.got == []


def test_a_name_is_asked_for_once_and_connected_to_as_it_was_judged(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers the second question otherwise (DNS rebinding) changes nothing."""
    asked = []

    def answer(host: Any, port: Any, **_kind: Any) -> list[tuple[Any, Any, int, str, tuple[str, Any]]]:
        asked.append(host)
        there = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (there, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert post(f"http://rebinding.example:{receiver.port}/x", BODY, {}).status == 200
    assert asked == ["rebinding.example"]
    assert receiver.got[0][1]["host"] == f"rebinding.example:{receiver.port}"


def test_a_name_that_turns_inside_after_it_was_saved_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_kind: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    )
    assert "127.0.0.1" in post(f"http://turned.example:{receiver.port}/", BODY, {}).error
    assert receiver.got == []


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(Receiver()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("all_proxy", proxy.url)
        assert post(receiver.url, BODY, {}).status == 200
        assert proxy.got == []


# --- TLS ----------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A certificate of hooks.example that this machine trusts for the moment; `hooks.example` is here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    monkeypatch.setattr(posting, "_tls", lambda: ssl.create_default_context(cafile=str(path)))
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_kind: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    )
    return path


@pytest.fixture
def secure(certificate: Any) -> Iterator[tuple[Any, list[Any]]]:
    """A receiver that speaks TLS, and the names that it was asked for."""
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with receiving(Receiver(), wrap=lambda plain: context.wrap_socket(plain, server_side=True)) as one:
        yield one, names


def test_tls_asks_for_the_name_and_checks_it(secure: tuple[Any, list[Any]]) -> None:
    receiver, names = secure
    assert post(f"https://hooks.example:{receiver.port}/x", BODY, {}).status == 200
    assert names == ["hooks.example"]
    assert receiver.got[0][1]["host"] == f"hooks.example:{receiver.port}"


def test_a_certificate_of_another_name_is_refused(secure: tuple[Any, list[Any]]) -> None:
    receiver, _names = secure
    answer = post(f"https://other.example:{receiver.port}/x", BODY, {})
    assert answer.error.startswith("The certificate is not valid")
    assert receiver.got == []


def test_a_receiver_without_tls_is_told(receiver: Receiver) -> None:
    answer = post(receiver.url.replace("http:", "https:"), BODY, {})
    assert answer.error.startswith("TLS failed")
