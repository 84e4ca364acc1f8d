"""A limit on guessing secrets: so many wrong ones a minute from one address."""

import time

from django.core.cache import cache
from django.http import HttpRequest

from config.addresses import client_address

WRONG_A_MINUTE = 20


def may_try_secret(request: HttpRequest) -> bool:
    """Whether this address has not yet been wrong too often in this minute."""
    return int(cache.get(_key(request), 0)) < WRONG_A_MINUTE


def count_wrong_secret(request: HttpRequest) -> None:
    """Counts a wrong secret; right ones cost nothing."""
    cache.add(_key(request), 0, timeout=120)
    cache.incr(_key(request))


def _key(request: HttpRequest) -> str:
    return f"guess:{client_address(request)}:{int(time.time() // 60)}"
