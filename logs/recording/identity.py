"""Decides which reports in foreign formats are about the same call, within a batch and across requests.

A report ("layer") is matched with a call by the request ids under which the call may be stored, by its position
in a trace, and by ids that reports of other observers share. Spans that are not calls ("links") connect layers
of a trace. Stored calls follow what becomes known: a call that turns out to be the same as another one, or not
a call, is removed; missing values of a call are filled in.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from logs.formats.identity import bounded
from logs.formats.reported import ReportedCall
from logs.models import Call, CallLayer
from logs.recording.amend import Amendment
from logs.recording.columns import reported_again
from logs.recording.ids import call_id
from logs.recording.known import (
    EarlierReports,
    gateway_names,
    preferred_names,
    read_known,
    read_layers_of,
    timed_name,
)
from logs.recording.layers import (
    MILLISECOND,
    Group,
    Key,
    Layer,
    Link,
    Node,
    calls_of_trace,
    distance,
    start_together,
    told_from_elsewhere,
)
from logs.recording.merging import MOST_LABELS, completed, first_of, labels_of, put_together, richest
from logs.recording.stored_calls import (
    Pricing,
    amendments_of,
    format_of,
    is_same_format,
    is_same_of_gateway,
    was_stored,
)
from teams.models import Team
from usage.rollups.bulk import add_up

# At most so many spans of one trace that are not calls are stored; those above calls come first.
_MOST_LINKS: Final = 2_000


@dataclass
class Decided:
    """The result of `decide` for the reports of one team and mode.

    `new`: calls to be stored, each with the layer whose `call_id` is the id of the call. `amendments`: changes
    of stored calls.
    """

    new: list[tuple[ReportedCall, Layer]]
    amendments: list[Amendment]


def decide(
    *, team: Team, mode: int, layers: Sequence[Layer], links: Sequence[Link], price: Pricing, now: datetime
) -> Decided:
    """Finds out which reports are new calls and which belong to stored calls.

    Stores the layers and links by which later reports are recognised. The caller must store and charge the new
    calls and apply the amendments, in the same transaction. Needs the team's lock.
    """
    decision = _Decision(read_known(team, mode, layers, links), now)
    decision.take(layers, links)
    amendments = decision.amendments(price)
    new = decision.new_calls()
    decision.write()
    return Decided(new, amendments)


@dataclass
class _Decision:
    known: EarlierReports
    now: datetime
    fresh: set[Key] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)
    new: dict[UUID, None] = field(default_factory=dict)
    # Ids of calls of this batch by LiteLLM's call id and start time, which all reports by LiteLLM have.
    gateway: dict[str, UUID] = field(default_factory=dict)
    # For each layer that was moved to another call: its previous call, or None.
    before: dict[Key, UUID | None] = field(default_factory=dict)
    # Layers that only repeat what is already stored of their call.
    repeated: set[Key] = field(default_factory=set)
    claimed: set[UUID] = field(default_factory=set)
    absorbed: dict[UUID, UUID] = field(default_factory=dict)  # call → the call that it turned out to be

    def take(self, layers: Sequence[Layer], links: Sequence[Link]) -> None:
        """Attaches every layer to a stored call or to a new one."""
        for layer in layers:
            if layer.key not in self.known.layers:
                self.known.add(layer)
                self.fresh.add(layer.key)
        traces = self._traces(links)
        groups = [group for nodes in traces.values() for group in calls_of_trace(nodes)]
        self._unbind(traces, groups)
        groups += [_group_of(self.known.layers[key]) for key in self.fresh if not key[0]]
        for group in sorted(groups, key=_by_time):
            self._bind(group)

    def _traces(self, links: Sequence[Link]) -> dict[str, list[Node]]:
        """Returns all known layers and links of each changed trace that contains a layer, by trace id.

        Also collects in `self.links` the links of this batch that will be stored.
        """
        changed = {key[0] for key in self.fresh} | {link.trace_id for link in links}
        traces: dict[str, list[Node]] = {}
        for layer in self.known.layers.values():
            if layer.identity.trace_id in changed - {""}:
                traces.setdefault(layer.identity.trace_id, []).append(layer)
        more: dict[str, dict[str, Link]] = {trace_id: {} for trace_id in traces}
        for link in links:
            if link.trace_id in traces and (link.trace_id, link.span_id) not in self.known.links:
                more[link.trace_id][link.span_id] = link
        for link in self.known.links.values():
            if link.trace_id in traces:
                traces[link.trace_id].append(link)
        for trace_id, nodes in traces.items():
            self.links += most_useful(nodes, more[trace_id])
            nodes += more[trace_id].values()
        return traces

    def _unbind(self, traces: dict[str, list[Node]], groups: Sequence[Group]) -> None:
        """Detaches from its call every layer that covers several calls, and therefore belongs to no group."""
        in_groups = {layer.key for group in groups for layer in group.layers}
        for nodes in traces.values():
            for node in nodes:
                if isinstance(node, Layer) and node.key not in in_groups:
                    self._rebind(node, None)

    def _rebind(self, layer: Layer, to: UUID | None) -> None:
        if layer.call_id != to:
            self.before.setdefault(layer.key, layer.call_id)
            self.known.bind(layer, to)
            if self.before[layer.key] == to:  # it is back where it was
                del self.before[layer.key]

    def _bind(self, group: Group) -> None:
        """Attaches the layers of a group to their stored call, or to a new call if none is found."""
        arrived = sorted(group.layers, key=lambda layer: layer.received_at)
        owners = list(dict.fromkeys(layer.call_id for layer in arrived if layer.call_id))
        owner = next((one for one in owners if one not in self.claimed), None)
        compared = [layer for layer in group.layers if layer.key in self.fresh]
        if owners and owner is None:
            # Another group of the trace has their call. They stay with it only if they match it from elsewhere.
            compared = group.layers
            for layer in group.layers:
                self._rebind(layer, None)
        found = (None if owner else self._by_name(compared)) or self._from_elsewhere(compared)
        apart: dict[UUID, list[Layer]] = {}
        if found and owner and found != owner:
            if self._are_two(owner, found, group):
                apart[found] = [layer for layer in compared if self._from_elsewhere([layer]) == found]
                found = None
            else:
                found = self._join(owner, found)
        made = found or owner or self._new_call(group)
        for other in owners:
            if other != made and other not in self.claimed:
                if self._are_two(made, other, group):
                    apart[other] = [layer for layer in group.layers if layer.call_id == other]
                else:
                    self.absorbed[other] = made
        self.claimed |= {made, *owners}
        elsewhere = {layer.key: id_ for id_, layers in apart.items() for layer in layers}
        for layer in group.layers:
            to = elsewhere.get(layer.key, made)
            self._rebind(layer, to)
            if layer.identity.litellm_id:
                self.gateway.setdefault(timed_name(layer, 0), to)

    def _are_two(self, one: UUID, other: UUID, group: Group) -> bool:
        """Whether these are certainly two calls: the same observer outside this trace reported both of them.

        An observer reports each call once, so its reports are about different calls.
        """
        trace_id = group.layers[0].identity.trace_id
        sources = [
            {layer.identity.source for layer in self._layers_of(id_) if layer.identity.trace_id != trace_id}
            for id_ in (one, other)
        ]
        return bool(sources[0] & sources[1])

    def _join(self, owner: UUID, found: UUID) -> UUID:
        """Merges two calls and returns the id of the one that remains.

        If `found` is new in this batch, its layers move to `owner`; otherwise `owner` is marked as absorbed by
        `found`.
        """
        if found not in self.new:
            self.absorbed[owner] = found
            return found
        del self.new[found]
        for layer in list(self.known.of_call[found].values()):
            self._rebind(layer, owner)
        for name, id_ in self.gateway.items():
            if id_ == found:
                self.gateway[name] = owner
        return owner

    def _new_call(self, group: Group) -> UUID:
        made = call_id(first_of(group.layers).call.started_at)
        self.new[made] = None
        return made

    def _by_name(self, layers: Sequence[Layer]) -> UUID | None:
        """Returns the id of a call that has a possible request id of these layers and agrees in other values.

        It is a stored call, or one of this batch that LiteLLM reported with the same id. None if there is none.
        """
        for layer in layers:
            found = self._by_gateway_name(layer) or self._by_own_name(layer)
            if found is not None:
                return found
        return None

    def _by_gateway_name(self, layer: Layer) -> UUID | None:
        for name in gateway_names(layer):
            call = self.known.calls.get(name)
            if call is not None and is_same_of_gateway(call, layer):
                if is_same_format(call, layer):
                    self.repeated.add(layer.key)
                return call.id
            made = self.gateway.get(name)
            if made is not None and any(start_together(layer, one) for one in self._layers_of(made)):
                return made
        return None

    def _layers_of(self, id_: UUID) -> Iterable[Layer]:
        return self.known.of_call.get(id_, {}).values()

    def _by_own_name(self, layer: Layer) -> UUID | None:
        identity = layer.identity
        own = () if identity.litellm_id else (layer.call.request_id,)
        for name in (identity.span_name, *identity.known_as, *own):
            call = self.known.calls.get(name)
            if call is None or call.id in self.known.of_layers:  # such a call is compared by its layers
                continue
            if name == identity.span_name or was_stored(call, layer):
                if abs(call.started_at - layer.call.started_at) <= MILLISECOND:
                    self.repeated.add(layer.key)
                return call.id
        return None

    def _from_elsewhere(self, layers: Sequence[Layer]) -> UUID | None:
        """Returns the id of the call that another observer reported under the same match key, or None.

        Of several such calls, the nearest in time is taken.
        """
        found = [
            (distance(layer, other), id_)
            for layer in layers
            for other, id_ in self.known.elsewhere(layer)
            if told_from_elsewhere(layer, other) and not self.known.is_told_by(id_, layer.identity.source)
        ]
        return min(found)[1] if found else None

    # --- New calls and changes of stored ones -------------------------------------------------------

    def amendments(self, price: Pricing) -> list[Amendment]:
        """Returns the changes and removals of stored calls that gained or lost layers."""
        self._move_absorbed()
        lost = {id_ for id_ in self.before.values() if id_ is not None}
        gained: defaultdict[UUID, list[Layer]] = defaultdict(list)
        for key in self.before:
            layer = self.known.layers[key]
            if layer.call_id is not None and layer.call_id not in self.new and key not in self.repeated:
                gained[layer.call_id].append(layer)
        changed = dict.fromkeys([*lost, *gained])
        calls = Call.objects.filter(team_id=self.known.team.pk, id__in=[*changed]) if changed else ()
        stored = {call.id: call for call in calls}
        makers = self._lost_makers()
        gone = {id_ for id_ in makers if id_ in stored and not self.known.of_call[id_]}
        pairs = []
        for id_, call in stored.items():
            if id_ in gone:
                continue
            if id_ in makers:
                pairs.append((call, self._without_lost(id_)))
            elif gained[id_]:
                pairs.append((call, self._with(call, gained[id_])))
        return [Amendment(stored[id_], None) for id_ in gone] + amendments_of(pairs, price)

    def _move_absorbed(self) -> None:
        """Moves the layers of absorbed calls to the calls that absorbed them.

        First reads all stored layers of calls that lost a layer.
        """
        lost = {id_ for id_ in self.before.values() if id_ is not None} | set(self.absorbed)
        if lost:
            read_layers_of(self.known, [*lost])
        for id_ in self.absorbed:
            to = id_
            while to in self.absorbed:
                to = self.absorbed[to]
            for layer in list(self._layers_of(id_)):
                self._rebind(layer, to)

    def _lost_makers(self) -> set[UUID]:
        """Returns the ids of calls that were stored because of a layer that is no longer attached to them.

        These layers lose the mark `made`.
        """
        makers = set()
        for key, id_ in self.before.items():
            layer = self.known.layers[key]
            if layer.made and id_ is not None:
                makers.add(id_)
                layer.made = False
        return makers

    def _without_lost(self, id_: UUID) -> ReportedCall:
        """Returns a call that lost the layer for which it was stored, as its remaining layers describe it.

        The first of the remaining layers is marked as the one for which the call is stored.
        """
        left = [*self._layers_of(id_)]
        first_of(left).made = True
        self.before.setdefault(first_of(left).key, id_)  # so that `write` stores the mark
        return put_together(left)

    def _with(self, call: Call, gained: Sequence[Layer]) -> ReportedCall:
        stored = reported_again(call)
        if not stored.layers:
            keys = {layer.key for layer in gained}
            earlier = [layer for layer in self._layers_of(call.id) if layer.key not in keys]
            stored.layers = labels_of(earlier) or [format_of(call)]
        together = completed(stored, richest(gained))
        more = [label for label in labels_of(gained) if label not in stored.layers]
        together.layers = [*stored.layers, *more][:MOST_LABELS]
        return together

    def new_calls(self) -> list[tuple[ReportedCall, Layer]]:
        """Returns the calls to store, each with the layer that names it.

        The first possible request id that is free becomes the call's `request_id`.
        """
        made: list[tuple[ReportedCall, Layer]] = []
        taken = set(self.known.calls)
        for id_ in self.new:
            layers = [*self._layers_of(id_)]
            first = first_of(layers)
            first.made = True
            call = put_together(layers)
            names = preferred_names(first)
            unused = (name for name in names if name not in taken)
            call.request_id = next(unused, bounded(f"{names[-1]}:{id_.hex}"))
            taken.add(call.request_id)
            made.append((call, first))
        return made

    # --- Rows that are stored for a day, to recognise later reports ------------------------------------

    def write(self) -> None:
        """Stores the layers that are new or were moved, and the links between them."""
        written = {*self.fresh, *self.before} - {key for key in self.repeated if not key[0]}
        rows = [_row(self.known, self.known.layers[key]) for key in written]
        rows += [_link_row(self.known, link, self.now) for link in self.links]
        if rows:
            rows.sort(key=lambda row: tuple(row[:5]))
            add_up(CallLayer, keys=_KEYS, added=[], replaced=_VALUES, rows=rows)


_KEYS: Final = ("team_id", "mode", "trace_id", "span_id", "match_key")
_VALUES: Final = ("parent_id", "call_id", "received_at", "report")


def _row(known: EarlierReports, layer: Layer) -> tuple[Any, ...]:
    space = known.team.pk, known.mode
    return (*space, *layer.key, layer.identity.parent_id, layer.call_id, layer.received_at, layer.report())


def _link_row(known: EarlierReports, link: Link, now: datetime) -> tuple[Any, ...]:
    return (known.team.pk, known.mode, link.trace_id, link.span_id, "", link.parent_id, None, now, None)


def most_useful(nodes: Sequence[Node], more: dict[str, Link]) -> list[Link]:
    """Returns which new links of a trace to store if there are too many: first those above layers.

    `nodes` are the layers and stored links of the trace, `more` the new links by span id.
    """
    room = _MOST_LINKS - sum(isinstance(node, Link) for node in nodes)
    if len(more) <= room:
        return [*more.values()]
    wanted: dict[str, Link] = {}
    for node in nodes:
        above = node.identity.parent_id if isinstance(node, Layer) else node.parent_id
        while above in more and above not in wanted and len(wanted) < room:
            wanted[above] = more[above]
            above = more[above].parent_id
    return [*({**wanted, **more}).values()][: max(0, room)]


def _group_of(layer: Layer) -> Group:
    group = Group()
    group.add(layer)
    return group


def _by_time(group: Group) -> tuple[datetime, Key]:
    return min((layer.call.started_at, layer.key) for layer in group.layers)
