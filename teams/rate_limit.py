"""Rate limit for wrong secrets, per IP address and minute."""

import time

from django.core.cache import cache
from django.http import HttpRequest

from config.addresses import client_address

WRONG_A_MINUTE = 20


def may_try_secret(request: HttpRequest) -> bool:
    """Whether the IP address has tried fewer wrong secrets in this minute than the limit."""
    return int(cache.get(_key(request), 0)) < WRONG_A_MINUTE


def count_wrong_secret(request: HttpRequest) -> None:
    """Counts a wrong secret of the IP address."""
    cache.add(_key(request), 0, timeout=120)
    cache.incr(_key(request))


def _key(request: HttpRequest) -> str:
    return f"guess:{client_address(request)}:{int(time.time() // 60)}"
