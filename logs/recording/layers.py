"""Compares reports ("layers") that may be about one call: those of one trace, and those of other observers.

Instrumentations above each other in one trace report the same call several times; so do a client and its
gateway.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from logs.formats.identity import Identity
from logs.formats.reported import ReportedCall
from logs.recording.callers import CallContext

Key = tuple[str, str, str]  # (trace id, span id, match key), the key of `CallLayer` in a team and mode
MILLISECOND: Final = timedelta(milliseconds=1)
Usage = tuple[frozenset[int], int]  # (possible numbers of input tokens, number of output tokens)
NO_USAGE: Final[Usage] = (frozenset({0}), 0)


@dataclass(frozen=True, slots=True)
class Link:
    """A trace span that is not a call. It may be the parent of one layer of a call and the child of another."""

    trace_id: str
    span_id: str
    parent_id: str


@dataclass(eq=False)
class Layer:
    """One report of a call, from this request or read from the database (`CallLayer`).

    `call_id` is the call that it is attached to; None if there is none (yet).
    """

    call: ReportedCall
    identity: Identity
    context: CallContext
    received_at: datetime
    call_id: UUID | None = None
    position: int = -1  # index in the batch; -1: read from the database
    # Whether its call was stored because of this report. Such a call is removed when it has no layer left.
    made: bool = False

    @property
    def key(self) -> Key:
        identity = self.identity
        return (identity.trace_id, identity.span_id, identity.match_key)

    @property
    def ends_at(self) -> datetime:
        return self.call.started_at + timedelta(milliseconds=self.call.latency_ms or 0)

    @cached_property
    def models(self) -> frozenset[str]:
        """The names of the requested and the answering model, without provider and date.

        Reports of the same call often differ in provider prefix and date.
        """
        return frozenset(plain_model(name) for name in (self.call.model, self.call.response_model) if name)

    @cached_property
    def usage(self) -> Usage:
        return usage_of(self.call)

    def report(self) -> dict[str, Any]:
        """Returns the part of the report that is stored in `CallLayer.report`, as JSON values."""
        told = ((name, getattr(self.call, name)) for name in _STORED)
        call = {name: value for name, value in told if value is not None and value != "" and value != []}
        call["started_at"] = self.call.started_at.isoformat()
        ids = ((name, getattr(self.identity, name)) for name in _IDS)
        by = [self.context.member_id, self.context.token_id]
        return {"call": call, "identity": {name: id_ for name, id_ in ids if id_}, "by": by, "made": self.made}


_WHO: Final = {"token", "team", "member", "reservation", "identity", "layers"}
_STORED: Final = [one.name for one in fields(ReportedCall) if one.name not in _WHO | {"started_at"}]
_IDS: Final = [one.name for one in fields(Identity) if one.name != "known_as"]


def stored_layer(
    *, team_id: int, mode: int, report: dict[str, Any], call_id: UUID | None, received_at: datetime
) -> Layer:
    """Rebuilds a layer from a row of `CallLayer`; `report` is what `Layer.report` returned."""
    said, identity = report["call"], report["identity"]
    member_id, token_id = report["by"]
    return Layer(
        call=ReportedCall(**said | {"started_at": datetime.fromisoformat(said["started_at"])}),
        identity=Identity(**{"source": "", "label": "", **identity, "known_as": ()}),
        context=CallContext(team_id, mode, member_id, token_id),
        received_at=received_at,
        call_id=call_id,
        made=report["made"],
    )


_DATE: Final = re.compile(r"(?:[-@]\d{4}-?\d{2}-?\d{2}|:latest)$")


def plain_model(name: str) -> str:
    return _DATE.sub("", name.rpartition("/")[2].lower())


def usage_of(call: ReportedCall) -> Usage:
    """Returns the tokens of a call in a form that can be compared with another report.

    Some senders count cached tokens separately from the input, so several numbers of input tokens are possible.
    """
    if not call.input_tokens and not call.output_tokens:
        return NO_USAGE
    cached, written = call.cached_tokens, call.cache_write_tokens
    inputs = {call.input_tokens + more for more in (0, cached, written, cached + written)}
    return frozenset(inputs), call.output_tokens


def agree(one: Usage, other: Usage) -> bool:
    """Whether two reports may have the same numbers of tokens; 0 (not reported) agrees with every number."""
    inputs = 0 in one[0] or 0 in other[0] or bool(one[0] & other[0])
    return inputs and (one[1] == other[1] or not one[1] or not other[1])


# --- Layers of one trace ----------------------------------------------------------------------------

# At most so many different token counts of a group are compared, so that long chains take linear time.
_MOST_USAGES: Final = 8


@dataclass(eq=False)
class Group:
    """The layers of one call in one trace, from the innermost span outwards."""

    layers: list[Layer] = field(default_factory=list)
    response_ids: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    usages: set[Usage] = field(default_factory=set)
    failed: set[bool] = field(default_factory=set)

    def add(self, layer: Layer) -> None:
        self.layers.append(layer)
        self.models |= layer.models
        self.failed.add(layer.call.failed)
        if layer.identity.response_id:
            self.response_ids.add(layer.identity.response_id)
        if layer.usage != NO_USAGE and len(self.usages) < _MOST_USAGES:
            self.usages.add(layer.usage)

    def is_told_by(self, layer: Layer) -> bool:
        """Whether a layer further up in the trace reports the same call as this group.

        Compares response ids, or else models and numbers of tokens.
        """
        if layer.identity.response_id in self.response_ids:
            return True
        if not layer.models & self.models:
            return False
        if layer.usage == NO_USAGE or not self.usages:
            is_other = bool(layer.identity.response_id and self.response_ids)
            return self.failed == {layer.call.failed} and not is_other
        return any(agree(usage, layer.usage) for usage in self.usages)


Node = Layer | Link
# Stands for several calls below a node of the trace, as opposed to None (no call) and one group.
_SEVERAL: Final = Group()


def calls_of_trace(nodes: Iterable[Node]) -> list[Group]:
    """Groups the layers of one trace by call; a layer above several calls is in no group.

    The result does not depend on the order of the nodes. The time is linear in their number.
    """
    by_span = _by_span(nodes)
    parents = _parents(by_span)
    below: dict[str, Group | None] = dict.fromkeys(by_span)
    groups: list[Group] = []
    for span_id in _children_first(by_span, parents):
        layers = [node for node in by_span[span_id] if isinstance(node, Layer)]
        found: list[Group | None] = [_with_layer(layer, below[span_id], groups) for layer in layers]
        found = found or [below[span_id]]
        parent = parents.get(span_id)
        if parent is not None:
            for one in found:
                below[parent] = _together(below[parent], one)
    return groups


def _together(one: Group | None, other: Group | None) -> Group | None:
    if one is None or other is None or one is other:
        return one or other
    return _SEVERAL


def _with_layer(layer: Layer, below: Group | None, groups: list[Group]) -> Group:
    """Adds a layer to the call below it, or starts a new group; returns what is now below the layer's parent.

    Appends a new group to `groups`. Returns `_SEVERAL` if there are several calls.
    """
    if below is _SEVERAL:
        return _SEVERAL
    if below is not None and below.is_told_by(layer):
        below.add(layer)
        return below
    group = Group()
    group.add(layer)
    groups.append(group)
    return group if below is None else _SEVERAL


def _by_span(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """Returns the nodes by span id: usually one, but broken senders use an id for several spans."""
    by_span: dict[str, list[Node]] = {}
    for node in nodes:
        span_id = node.identity.span_id if isinstance(node, Layer) else node.span_id
        by_span.setdefault(span_id, []).append(node)
    for same in by_span.values():
        same.sort(key=_order)
    return by_span


def _order(node: Node) -> tuple[bool, str, str]:
    if isinstance(node, Layer):
        return (False, node.identity.match_key, node.identity.parent_id)
    return (True, "", node.parent_id)


def _parents(by_span: dict[str, list[Node]]) -> dict[str, str]:
    """Returns the parent's span id for each span whose parent is known, leaving out spans that form a cycle."""
    parents: dict[str, str] = {}
    for span_id, nodes in by_span.items():
        parent_id = nodes[0].identity.parent_id if isinstance(nodes[0], Layer) else nodes[0].parent_id
        if parent_id in by_span:
            parents[span_id] = parent_id
    for span_id in _in_cycles(parents):
        del parents[span_id]
    return parents


def _in_cycles(parents: dict[str, str]) -> set[str]:
    found: set[str] = set()
    seen: dict[str, str] = {}  # span id → the span where the walk that reached it began
    for start in parents:
        at = start
        while at in parents and at not in seen:
            seen[at] = start
            at = parents[at]
        if seen.get(at) == start:  # this walk came back to where it had been
            while at not in found:
                found.add(at)
                at = parents[at]
    return found


def _children_first(by_span: dict[str, list[Node]], parents: dict[str, str]) -> Sequence[str]:
    waiting: dict[str, int] = dict.fromkeys(by_span, 0)
    for parent_id in parents.values():
        waiting[parent_id] += 1
    ready = [span_id for span_id, children in waiting.items() if not children]
    for span_id in ready:  # grows meanwhile
        above = parents.get(span_id)
        if above is not None:
            waiting[above] -= 1
            if not waiting[above]:
                ready.append(above)
    return ready


# --- Reports by other observers -----------------------------------------------------------------------

# Shorter response ids are counters or random numbers of a small range, and repeat (Ollama's "chatcmpl-213").
UNIQUE_CHARACTERS: Final = 20
CLOCKS_DIFFER: Final = timedelta(seconds=5)
SAME_CLOCK: Final = timedelta(seconds=1)


def told_from_elsewhere(one: Layer, other: Layer) -> bool:
    """Whether two reports with the same match key, by different sources, are about one call.

    A failed and a successful report never are. Reports with the same LiteLLM id that start within 1 ms of each
    other are. Otherwise the time of one report must enclose the time of the other, as a client's call encloses
    its gateway's, and their tokens must not contradict. If the response id is too short to be unique, the
    models must also match.
    """
    if one.identity.source == other.identity.source or one.call.failed != other.call.failed:
        return False
    is_same_id = one.identity.litellm_id and one.identity.litellm_id == other.identity.litellm_id
    if is_same_id and abs(one.call.started_at - other.call.started_at) <= MILLISECOND:
        return True
    if not agree(one.usage, other.usage):
        return False
    is_unique = len(one.identity.response_id) >= UNIQUE_CHARACTERS
    if not is_unique and not one.models & other.models:
        return False
    return enclose(one, other, CLOCKS_DIFFER if is_unique else SAME_CLOCK)


def start_together(one: Layer, other: Layer) -> bool:
    return abs(one.call.started_at - other.call.started_at) <= MILLISECOND


def enclose(one: Layer, other: Layer, leeway: timedelta) -> bool:
    """Whether one of the two time spans lies within the other, with a tolerance of `leeway` at both ends."""
    starts = one.call.started_at, other.call.started_at
    ends = one.ends_at, other.ends_at
    if starts[0] - leeway <= starts[1] and ends[1] <= ends[0] + leeway:
        return True
    return starts[1] - leeway <= starts[0] and ends[0] <= ends[1] + leeway


def distance(one: Layer, other: Layer) -> timedelta:
    """Returns how far apart two reports are in time: the difference of their starts plus that of their ends."""
    return abs(one.call.started_at - other.call.started_at) + abs(one.ends_at - other.ends_at)
