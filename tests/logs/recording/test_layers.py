"""Which spans of a trace are calls: a function of the spans alone, in time in proportion to their number."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs.formats.identity import Identity
from logs.formats.reported import ReportedCall
from logs.recording import layers
from logs.recording.callers import CallContext
from logs.recording.layers import Layer, Link, calls_of_trace
from tests.logs.conftest import NOW

CALL = ReportedCall(request_id="r", started_at=NOW, model="m", input_tokens=10, output_tokens=1)


def layer(name: str, parent: str, response: str = "", **fields: Any) -> Layer:
    identity = Identity("sdk", name, "t", name, parent, response)
    return Layer(replace(CALL, **fields), identity, CallContext(1, 0, 1), NOW)


def names(nodes: Any) -> list[list[str]]:
    return sorted(sorted(one.identity.span_id for one in group.layers) for group in calls_of_trace(nodes))


nodes = st.lists(
    st.builds(
        lambda name, parent, tokens, response, is_link: (
            Link("t", name, parent) if is_link else layer(name, parent, response, input_tokens=tokens)
        ),
        st.sampled_from("abcdefgh"),
        st.sampled_from(["", *"abcdefgh", "unknown"]),
        st.integers(0, 2),
        st.sampled_from(["", "x", "y"]),
        st.booleans(),
    ),
    unique_by=lambda node: node.identity.span_id if isinstance(node, Layer) else node.span_id,
)


@given(nodes, st.randoms())
def test_the_order_does_not_matter_and_no_span_is_of_two_calls(found: Any, randomness: Any) -> None:
    first = names(found)
    randomness.shuffle(found)
    assert names(found) == first
    assert len({name for group in first for name in group}) == sum(map(len, first))


@given(nodes)
def test_a_span_that_has_no_call_below_is_always_of_one(found: Any) -> None:
    parents = {node.identity.parent_id if isinstance(node, Layer) else node.parent_id for node in found}
    counted = {name for group in names(found) for name in group}
    leaves = {node.identity.span_id for node in found if isinstance(node, Layer)} - parents
    assert leaves <= counted


def test_spans_that_are_their_own_ancestors_are_no_ancestors() -> None:
    assert names([layer("a", "b"), layer("b", "a"), layer("c", "c"), layer("d", "a")]) == [
        ["a", "d"],
        ["b"],
        ["c"],
    ]


@pytest.mark.parametrize(
    "parent", [lambda n: n - 1, lambda n: 0, lambda n: n // 2], ids=["chain", "star", "tree"]
)
@pytest.mark.parametrize("spread", [1, 50_000], ids=["equal", "different"])
def test_ten_thousand_spans_take_no_longer_than_their_number(
    parent: Callable[..., Any], spread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were each compared with each, these would be a hundred million comparisons."""
    found = [
        layer(f"{n}", f"{parent(n)}", f"r{n % spread}", input_tokens=1 + n % spread) for n in range(1, 10_001)
    ]
    random.shuffle(found)
    compared = 0

    really = layers.agree

    def agree(one: Any, other: Any) -> Any:
        nonlocal compared
        compared += 1
        return really(one, other)

    monkeypatch.setattr(layers, "agree", agree)
    groups = calls_of_trace(found)
    assert compared <= 10 * len(found)
    assert sum(len(group.layers) for group in groups) <= len(found)
