"""LiteLLM's proxy before the local provider, configured as README says."""

import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tests.senders.environments import environment
from tests.senders.readme import example
from tests.senders.site import Site
from tests.senders.upstream import Upstream

_STARTS_WITHIN_SECONDS: Final = 180


@contextmanager
def running_proxy(
    folder: Path, site: Site, upstream: Upstream, *, traces: Mapping[str, str] | None = None, auth: str = ""
) -> Iterator[str]:
    """Its address. `traces`: the callback `otel` reports, too, beside `generic_api`, with these variables set.

    `auth`: the text of a module that says who calls, in place of README's.
    """
    auth = auth or example("user_api_key_auth(request", site.relay.url)
    (folder / "callboard_auth.py").write_text(auth)
    config = yaml.safe_load(example("callback_type: generic_api", site.relay.url))
    if traces is not None:
        config["litellm_settings"]["callbacks"].append("otel")
    config["litellm_settings"] |= {"cache": True, "cache_params": {"type": "local", "mode": "default_off"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config | _models(upstream.url)))
    port = _free_port()
    with (folder / "litellm.log").open("w") as log:
        process = subprocess.Popen(
            [environment("litellm") / "litellm", "--config", "config.yaml", "--port", str(port)],
            cwd=folder,
            env=_variables(site) | (_exporter_variables(site) | dict(traces) if traces is not None else {}),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(process, port, folder / "litellm.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def _models(url: str) -> dict[str, Any]:
    """What a newcomer's config.yaml has besides: models by the names that clients ask for."""
    openai = {"api_base": f"{url}/v1", "api_key": "sk-upstream"}
    anthropic = {"model": "anthropic/claude-haiku-4-5", "api_base": url, "api_key": "sk-upstream"}
    named = [
        ("gpt-4o-mini", openai | {"model": "openai/gpt-4o-mini"}),
        ("gpt-4o", openai | {"model": "openai/gpt-4o"}),
        ("text-embedding-3-small", openai | {"model": "openai/text-embedding-3-small"}),
        ("claude-haiku-4-5", anthropic),
        ("assistant", openai | {"model": "openai/gpt-4o-mini"}),
        ("impatient", openai | {"model": "openai/gpt-4o-mini", "timeout": 1}),
    ]
    return {
        "model_list": [{"model_name": name, "litellm_params": parameters} for name, parameters in named],
        "router_settings": {
            "fallbacks": [{"assistant": ["gpt-4o"]}],
            "num_retries": 0,
            "disable_cooldowns": True,
        },
    }


def _variables(site: Site) -> dict[str, str]:
    """Nothing of this process but the path; batches every second, not every five, to wait for less."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LITELLM_MASTER_KEY": f"sk-{secrets.token_hex(32)}",
        "CALLBOARD_AUTHORIZATION": f"Bearer {site.cast.gateway_key}",
        "DEFAULT_FLUSH_INTERVAL_SECONDS": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def _exporter_variables(site: Site) -> dict[str, str]:
    return {
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{site.relay.url}/otlp",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{site.cast.gateway_key}",  # LiteLLM does not decode it
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-5000:]
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"LiteLLM did not start: {log.read_text()[-5000:]}")
