"""How a key may come: as a bearer, percent-encoded, or as the password of Basic authentication."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.logs.conftest import record


def basic(user_and_password: str) -> str:
    return f"Basic {base64.b64encode(user_and_password.encode()).decode()}"


@pytest.fixture
def status(post: Callable[..., Any], mia: str) -> Callable[..., Any]:
    """`status(header)`: what a report is answered with this Authorization; KEY stands for a working one."""
    return lambda header: post(None, record(), headers={"Authorization": header}).status_code


def encoded(key: str) -> list[str]:
    return [
        f"Bearer {key}",
        f"bearer   {key} ",
        f"Bearer%20{key}",
        basic(f"pk-lf-1:{key}"),
        basic(f":{key}"),
        basic(f"callboard:{key}").replace("Basic ", "Basic%20").replace("=", "%3D"),
    ]


@pytest.mark.parametrize("way", range(6))
def test_a_working_key_is_known_however_it_comes(status: Callable[..., Any], mia: str, way: Any) -> None:
    assert status(encoded(mia)[way]) == 200


@pytest.mark.parametrize("way", range(6))
def test_another_key_is_refused_however_it_comes(status: Callable[..., Any], way: Any) -> None:
    assert status(encoded("cb_live_x")[way]) == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer%20", "%", "%zz", "%00", "Basic", "Basic :", "Basic \u00e9", "Basic ====", basic("cb_live_x"),
     f"Basic {base64.b64encode(bytes([0xFF, 0x3A])).decode()}", "Digest x"],
)  # fmt: skip
def test_without_a_key_it_is_401(status: Callable[..., Any], header: str) -> None:
    assert status(header) == 401
