"""Limits how many wrong secrets an IP address can try per minute."""

import time

from django.core.cache import cache
from django.http import HttpRequest

from config.addresses import client_address

WRONG_A_MINUTE = 20


def may_try_secret(request: HttpRequest) -> bool:
    """Whether the client's IP address has tried fewer wrong secrets in this minute than the limit."""
    return int(cache.get(_key(request), 0)) < WRONG_A_MINUTE


def count_wrong_secret(request: HttpRequest) -> None:
    """Counts that the client's IP address has tried a wrong secret in this minute."""
    cache.add(_key(request), 0, timeout=120)
    cache.incr(_key(request))


def _key(request: HttpRequest) -> str:
    return f"guess:{client_address(request)}:{int(time.time() // 60)}"
