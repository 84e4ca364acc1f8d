"""A real LiteLLM proxy, configured by README word by word, reports exactly what its provider counted."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from tests.senders.client import Client
from tests.senders.proxy import running_proxy
from tests.senders.relay import Post
from tests.senders.scenarios import SCENARIOS, SHOWN_AS, Played, play
from tests.senders.server import Server
from tests.senders.site import Site, of_upstream
from tests.senders.upstream import Upstream

DOWN_SECONDS = 10
# What is set where the callback `otel` reports, too. Without it LiteLLM gives what it tells of a call to other spans,
# if any.
TRACES = {
    "by callback": None,
    "by callback and trace": {},
    "by callback and request span": {"USE_OTEL_LITELLM_REQUEST_SPAN": "true"},
}


@dataclass(frozen=True)
class Reports:
    """A proxy that runs, the scenarios that were played with it, and what it has posted of them."""

    url: str
    played: dict[str, Played]
    posts: list[Post]
    has_traces: bool


@pytest.fixture(scope="module", params=TRACES)
def reports(
    request: pytest.FixtureRequest, site: Site, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reports]:
    traces = TRACES[request.param]
    with running_proxy(tmp_path_factory.mktemp("litellm"), site, upstream, traces=traces) as url:
        before, played = len(site.relay.posts), {}
        for name, scenario in SCENARIOS.items():
            with play(site, upstream) as played[name]:
                scenario(Client(url, played[name].member))
        site.wait_until_quiet()
        yield Reports(url, played, site.relay.posts[before:], traces is not None)


@pytest.mark.parametrize("name", SCENARIOS)
def test_logs_statistics_and_quota_are_what_the_provider_counted(
    reports: Reports, site: Site, name: Any
) -> None:
    played = reports.played[name]
    assert played.asked
    site.check(played.member, of_upstream(played.asked, SHOWN_AS.get(name, {})))


def test_calls_are_those_of_the_token_that_was_the_key(reports: Reports, site: Site) -> None:
    member = reports.played["chat"].member
    (call,) = site.calls(member)
    assert call["token"] == member.token


def test_posted_again_all_are_duplicates(reports: Reports, site: Site) -> None:
    assert reports.posts
    before = {name: site.calls(played.member) for name, played in reports.played.items()}
    answers = site.post_again(reports.posts)
    told = [
        json.loads(answer)
        for answer, post in zip(answers, reports.posts, strict=True)
        if "otlp" not in post.path
    ]
    assert sum(answer["accepted"] for answer in told) == 0
    assert [answer["rejected"] for answer in told if answer["rejected"]] == []
    assert sum(answer["duplicates"] for answer in told) >= len(SCENARIOS)
    assert before == {name: site.calls(played.member) for name, played in reports.played.items()}


def test_a_trace_is_sent_beside_the_callback(reports: Reports) -> None:
    paths = {post.path for post in reports.posts}
    assert paths == {"/api/v1/litellm", *(["/otlp/v1/traces"] if reports.has_traces else [])}
    assert {post.status for post in reports.posts} == {200}


def test_a_hit_of_the_proxys_cache_is_a_call_that_cost_nothing(
    reports: Reports, site: Site, upstream: Upstream
) -> None:
    with play(site, upstream) as played:
        client = Client(reports.url, played.member)
        for _time in range(2):
            assert client.chat("please answer from the cache", cache={"use-cache": True})[0] == 200
    site.calls_once_there_are(2, played.member)
    site.wait_until_quiet()

    (told,) = of_upstream(played.asked)
    site.check(played.member, Counter([told, replace(told, cost=Decimal(0))]))


def test_who_leaves_in_the_middle_pays_for_what_was_sent(
    reports: Reports, site: Site, upstream: Upstream
) -> None:
    with play(site, upstream) as played:
        Client(reports.url, played.member).leave_during("please answer slowly")
        site.calls_once_there_are(1, played.member)
        while upstream.asked[-1].status == 200:
            time.sleep(0.1)
    site.wait_until_quiet()

    (asked,) = played.asked
    assert asked.status == 499
    # LiteLLM's own span tells a success; the callback, which knows better, may come after it.
    (call,) = site.calls(played.member)
    assert (call["status"], call["outcome"]) == (499, "client_error")
    assert call["input_tokens"] == asked.usage.input
    # The provider sends some words more before it notices that nobody reads them.
    assert 5 <= call["output_tokens"] <= asked.usage.output <= call["output_tokens"] + 5
    used = replace(asked.usage, output=call["output_tokens"])
    site.check(played.member, of_upstream([replace(asked, usage=used)]))


def test_of_attempts_that_all_fail_litellm_reports_the_first(
    reports: Reports, site: Site, upstream: Upstream
) -> None:
    with play(site, upstream) as played:
        assert Client(reports.url, played.member).chat("please answer 500", num_retries=1)[0] == 500
    site.calls_once_there_are(1, played.member)
    site.wait_until_quiet()
    assert len(played.asked) == 2
    site.check(played.member, of_upstream(played.asked[:1]))


def test_nothing_is_lost_while_callboard_is_down_for_ten_seconds(
    reports: Reports, site: Site, upstream: Upstream, server: Server
) -> None:
    with play(site, upstream) as played:
        client = Client(reports.url, played.member)
        assert client.chat("please answer before")[0] == 200
        site.calls_once_there_are(1, played.member)
        with server.down():
            assert client.chat("please answer meanwhile")[0] == 200
            assert client.chat("please answer 500 meanwhile")[0] == 500
            time.sleep(DOWN_SECONDS)
        assert client.chat("please answer afterwards")[0] == 200
    site.calls_once_there_are(4, played.member)
    site.wait_until_quiet()
    site.check(played.member, of_upstream(played.asked))


def test_who_has_no_token_is_refused_and_nothing_is_called(
    reports: Reports, site: Site, upstream: Upstream
) -> None:
    with play(site, upstream) as played:
        stranger = replace(played.member, secret="cb_live_of_a_stranger")
        assert Client(reports.url, stranger).chat("please answer this")[0] == 401
    assert played.asked == []
