"""Real instrumentations export traces of what they called: it is exactly what the provider counted."""

import base64
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.senders.cast import Member
from tests.senders.environments import environment
from tests.senders.readme import example
from tests.senders.scenarios import play
from tests.senders.site import Site, of_calls, of_upstream
from tests.senders.upstream import Asked, Upstream

PROGRAMS = Path(__file__).resolve().parent / "exporters"
ENVIRONMENTS = {"openai_v2": "otel-older"}  # of those that cannot run in "otel"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py") if path.stem not in {"__init__", "calls"})


def told_by(program: str, asked: Asked) -> Asked:
    """What the program's instrumentation tells of the call, where it is not what the provider told it."""
    used = asked.usage
    if program == "openai_v2":  # knows input and output only
        used = used.untold()
    if (
        program == "openllmetry_anthropic" and asked.stream
    ):  # adds the token of the first event to the final sum
        used = replace(used, output=used.output + 1)
    return replace(asked, usage=used)


def exported(program: str, variables: dict[str, str], upstream: Upstream) -> None:
    """Runs the program until it has exported everything."""
    done = subprocess.run(
        [environment(ENVIRONMENTS.get(program, "otel")) / "python", PROGRAMS / f"{program}.py"],
        env={"PATH": os.environ["PATH"], "UPSTREAM_URL": upstream.url} | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-5000:]


def variables_of(site: Site, secret: str, member: Member | None = None) -> dict[str, str]:
    """What README tells to export; for a `member`, if the key is a gateway's."""
    told = example("OTEL_EXPORTER_OTLP_ENDPOINT", site.relay.url).replace("cb_live_...", secret)
    if member:
        told += example("OTEL_RESOURCE_ATTRIBUTES", site.relay.url).replace("mia@example.org", member.email)
    return dict(re.findall(r'^export (\w+)="?(.*?)"?$', told, re.MULTILINE))


@pytest.mark.parametrize("program", NAMES)
def test_logs_statistics_and_quota_are_what_the_provider_counted(
    program: Any, site: Site, upstream: Upstream
) -> None:
    with play(site, upstream) as played:
        exported(program, variables_of(site, played.member.secret), upstream)
    assert played.asked
    site.check(played.member, of_upstream(told_by(program, one) for one in played.asked))


def test_exported_again_all_are_duplicates(site: Site, upstream: Upstream) -> None:
    with play(site, upstream) as played:
        before = len(site.relay.posts)
        exported("openllmetry_langchain", variables_of(site, played.member.secret), upstream)
    once = site.calls(played.member)
    assert once
    site.post_again(site.relay.posts[before:] * 2)
    assert site.calls(played.member) == once


def test_a_gateway_key_reports_for_the_member_that_the_resource_names(site: Site, upstream: Upstream) -> None:
    with play(site, upstream) as played:
        variables = variables_of(site, site.cast.gateway_key, played.member)
        assert "callboard.team=harbour-research" in variables["OTEL_RESOURCE_ATTRIBUTES"]
        exported("openllmetry_openai", variables, upstream)
    assert of_calls(site.calls(played.member)) == of_upstream(played.asked)


def test_a_key_may_be_the_password_of_basic_auth(site: Site, upstream: Upstream) -> None:
    with play(site, upstream) as played:
        variables = variables_of(site, played.member.secret)
        signed_in = base64.b64encode(f"callboard:{played.member.secret}".encode()).decode()
        variables["OTEL_EXPORTER_OTLP_HEADERS"] = f"Authorization=Basic%20{signed_in}"
        exported("openllmetry_langchain", variables, upstream)
    site.check(played.member, of_upstream(played.asked))
