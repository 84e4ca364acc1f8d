"""Clients that nobody here wrote report to the real server: litellm, and curl as the first steps say."""

import asyncio
import html
import os
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from logs.models import Call
from tests.conftest import Cast

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # read when litellm is imported: no look outside
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def overview(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`overview()`: the page as the owner sees it at the next refresh."""
    client = client_of("owner")
    return lambda: client.get(reverse("usage:overview", args=[cast.team.slug]))


async def _call_by_litellm(url: str, secret: str) -> None:
    """Two good calls and one throttled, by way of litellm and its generic_api callback."""
    import litellm
    from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

    logger = GenericAPILogger(endpoint=f"{url}/api/v1/litellm", headers={"Authorization": f"Bearer {secret}"})
    ask: dict[str, Any] = {
        "model": "openai/gpt-4o-mini",
        "messages": [{"role": "user", "content": "secret question"}],
    }
    litellm.suppress_debug_info = True
    litellm.callbacks = [logger]
    try:
        for answer in ("secret answer", "another secret"):
            await litellm.acompletion(**ask, mock_response=answer)
        with pytest.raises(litellm.RateLimitError):
            await litellm.acompletion(**ask, mock_response="litellm.RateLimitError")
        async with asyncio.timeout(20):
            while len(logger.log_queue) < 3:
                await asyncio.sleep(0.05)
        await logger.flush_queue()
    finally:
        litellm.callbacks = []


def test_calls_of_litellm_are_on_the_overview_at_the_next_refresh(
    live_server: LiveServer,
    mia: str,
    overview: Callable[..., Any],
    cast: Cast,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert overview().context["page"].never_called
    asyncio.run(_call_by_litellm(live_server.url, mia))
    page = overview()
    total = page.context["page"].overview.total
    assert (total.calls, total.succeeded, total.throttled) == (3, 2, 1)
    assert (total.input_tokens, total.cost_nanos) == (20, 2 * 13_500)
    assert "gpt-4o-mini" in page.content.decode()
    assert "secret" not in str(list(Call.objects.values()))
    call_command("verify_usage")
    assert "3 calls, no difference" in capsys.readouterr().out


def test_the_command_of_the_first_steps_works_when_it_is_pasted(
    live_server: LiveServer, mia: str, overview: Callable[..., Any], settings: Settings
) -> None:
    settings.BASE_URL = live_server.url
    page = overview().content.decode()
    (command,) = (text for text in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL) if "curl" in text)
    pasted = subprocess.run(
        ["bash", "-c", html.unescape(command)],
        env={"PATH": os.environ["PATH"], "CALLBOARD_TOKEN": mia},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert pasted.stdout == '{"accepted": 1, "duplicates": 0, "rejected": []}', pasted.stderr
    total = overview().context["page"].overview.total
    assert (total.calls, total.cost_nanos) == (1, 450_000)
