"""Reads what earlier reports may be related to a batch: reports of the last 24 hours and possibly equal calls.

All of it is read in a few SQL statements for the whole batch.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from logs.formats.identity import bounded
from logs.models import Call, CallLayer
from logs.recording.layers import Key, Layer, Link, stored_layer
from teams.models import Team

KEPT: Final = timedelta(hours=24)
# Values in one SQL statement: SQLite takes at most 32,766 parameters.
MOST_AT_ONCE: Final = 5_000
# One SQL statement reads at most so many rows. A report that only matches an unread row counts as a new call.
MOST_ROWS: Final = 100_000
# A report is compared with at most so many others of the same response id, the latest ones.
_MOST_COMPARED: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class EarlierReports:
    """Stored reports and calls of one team and mode that may be related to a batch.

    Contains the layers and links of the batch's traces and match keys, and calls by their request ids. The
    layers of the batch are added to it.
    """

    team: Team
    mode: int
    layers: dict[Key, Layer] = field(default_factory=dict)
    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)  # by request id
    of_call: dict[UUID, dict[Key, Layer]] = field(default_factory=dict)
    # Calls that were stored because of a layer; only these can be compared by their layers.
    of_layers: set[UUID] = field(default_factory=set)
    # Layers by match key and source.
    _by_match_key: dict[str, dict[str, list[Layer]]] = field(default_factory=dict)
    _sources: dict[UUID, Counter[str]] = field(default_factory=dict)

    def add(self, layer: Layer) -> None:
        if layer.key in self.layers:
            return
        self.layers[layer.key] = layer
        if layer.made and layer.call_id is not None:
            self.of_layers.add(layer.call_id)
        if layer.identity.match_key:
            by_source = self._by_match_key.setdefault(layer.identity.match_key, {})
            by_source.setdefault(layer.identity.source, []).append(layer)
        self._count(layer, 1)

    def bind(self, layer: Layer, to: UUID | None) -> None:
        """Attaches a layer to the call with the id `to`; None detaches it."""
        self._count(layer, -1)
        layer.call_id = to
        self._count(layer, 1)

    def _count(self, layer: Layer, sign: int) -> None:
        if layer.call_id is None:
            return
        self._sources.setdefault(layer.call_id, Counter())[layer.identity.source] += sign
        of_call = self.of_call.setdefault(layer.call_id, {})
        if sign > 0:
            of_call[layer.key] = layer
        else:
            of_call.pop(layer.key, None)

    def is_told_by(self, call_id: UUID, source: str) -> bool:
        """Whether this source has reported the call, among the layers that were read."""
        return self._sources.get(call_id, Counter())[source] > 0

    def elsewhere(self, layer: Layer) -> Iterator[tuple[Layer, UUID]]:
        """Yields (report, id of its call) for reports by other sources with the same match key as `layer`.

        Reports that belong to no call are left out.
        """
        for source, others in self._by_match_key.get(layer.identity.match_key, {}).items():
            if source != layer.identity.source:
                for other in others[-_MOST_COMPARED:]:
                    if other.call_id is not None:
                        yield other, other.call_id


def read_known(team: Team, mode: int, layers: Sequence[Layer], links: Sequence[Link]) -> EarlierReports:
    """Reads the stored reports and calls that may be related to these reports of one team and mode.

    The team must be locked.
    """
    known = EarlierReports(team, mode)
    traces = {layer.identity.trace_id for layer in layers} | {link.trace_id for link in links}
    keys = {layer.identity.match_key for layer in layers}
    for row in _rows(team, mode, "trace_id", traces - {""}):
        _add_row(known, row)
    for row in _rows(team, mode, "match_key", keys - {""}):
        _add_row(known, row)
    names = {name for layer in layers for name in names_of(layer)}
    for chunk in _chunks(names):
        for call in Call.objects.filter(team_id=team.pk, mode=mode, request_id__in=chunk):
            known.calls[call.request_id] = call
    read_layers_of(known, [call.id for call in known.calls.values()])
    return known


_COLUMNS: Final = ("trace_id", "span_id", "match_key", "parent_id", "call_id", "received_at", "report")


def _rows(team: Team, mode: int, column: str, values: Iterable[str]) -> Iterable[tuple[Any, ...]]:
    stored = CallLayer.objects.filter(team_id=team.pk, mode=mode)
    for chunk in _chunks(values):
        yield from stored.filter(**{f"{column}__in": chunk}).values_list(*_COLUMNS)[:MOST_ROWS]


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + MOST_AT_ONCE] for start in range(0, len(ordered), MOST_AT_ONCE))


def _add_row(known: EarlierReports, row: tuple[Any, ...]) -> None:
    trace_id, span_id, _match_key, parent_id, call_id, received_at, report = row
    if report is None:
        known.links[trace_id, span_id] = Link(trace_id, span_id, parent_id)
    else:
        known.add(
            stored_layer(
                team_id=known.team.pk,
                mode=known.mode,
                report=report,
                call_id=call_id,
                received_at=received_at,
            )
        )


def read_layers_of(known: EarlierReports, call_ids: Sequence[UUID]) -> None:
    """Adds all stored layers of these calls to `known`."""
    stored = CallLayer.objects.filter(team_id=known.team.pk, report__isnull=False)
    for start in range(0, len(call_ids), MOST_AT_ONCE):
        rows = stored.filter(call_id__in=call_ids[start : start + MOST_AT_ONCE])
        for row in rows.values_list(*_COLUMNS):
            _add_row(known, row)


# --- The request ids under which a call may be stored ---------------------------------------------------


def names_of(layer: Layer) -> list[str]:
    """Returns every request id under which the call of this report may be stored."""
    own = (*layer.identity.known_as, layer.identity.span_name, layer.call.request_id)
    return [*gateway_names(layer), *(name for name in own if name)]


def preferred_names(layer: Layer) -> list[str]:
    """Returns the possible request ids of a new call, in order of preference; the first free one is used.

    The last one is specific to this call: that of its span, or LiteLLM's id with the start time.
    """
    call, identity = layer.call, layer.identity
    if not identity.litellm_id:
        return [call.request_id, identity.span_name or call.request_id]
    timed = timed_name(layer, 0)
    return [timed] if call.failed and identity.deployment else [identity.litellm_id, timed]


def gateway_names(layer: Layer) -> list[str]:
    """Returns the possible request ids made of LiteLLM's id of the call and its start time.

    Empty if the report has no LiteLLM id.
    """
    litellm_id = layer.identity.litellm_id
    if not litellm_id:
        return []
    names = [litellm_id, *(timed_name(layer, more) for more in (0, -1, 1))]
    if layer.call.failed:  # the request ids that version 0.2 gave to failed calls
        names += [f"{litellm_id}:{_microseconds(layer) + more}" for more in (0, -1, 1)]
    return names


def timed_name(layer: Layer, more: int) -> str:
    """Returns a request id made of LiteLLM's call id and the start in milliseconds, plus `more` milliseconds.

    For a failed attempt also status and deployment, since LiteLLM retries under the same id.
    """
    call, identity = layer.call, layer.identity
    name = f"{identity.litellm_id}:{_microseconds(layer) // 1000 + more}"
    if call.failed:
        name += f":{call.status}:{identity.deployment}"
    return bounded(name)


def _microseconds(layer: Layer) -> int:
    return (layer.call.started_at - _EPOCH) // timedelta(microseconds=1)
