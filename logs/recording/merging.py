"""Merges several reports of the same call into one call."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from itertools import groupby
from typing import Final

from logs.formats.callboard import MAX_TAGS
from logs.formats.reported import ReportedCall
from logs.formats.statuses import CLIENT_DISCONNECTED
from logs.formats.translated import fitted_metadata
from logs.recording.layers import Layer, agree, usage_of

_TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
)
# Fields that are taken from another report if the first report does not have them.
_DESCRIPTION: Final = (
    *("cost_nanos", "latency_ms", "ttft_ms", "stream", "provider", "endpoint", "channel", "response_model"),
    *("service_tier", "ip", "user_agent", "session_id"),
)
MOST_LABELS: Final = 16
_ERROR: Final = ("error_type", "error_code", "error_message")


def first_of(layers: Sequence[Layer]) -> Layer:
    """Returns the report from which a call gets its request id and start time.

    A gateway's report is preferred, then one with a response id, then the one with the earliest start.
    """
    return min(layers, key=_order)


def richest(layers: Sequence[Layer]) -> ReportedCall:
    """Returns one call merged from layers that arrived in the same request.

    Tokens come from the layer with the most tokens; other values from the first layer that has them.
    """
    ordered = sorted(layers, key=_order)
    call = copy(ordered[0].call)
    if len(ordered) == 1:
        return call
    fullest = max(ordered, key=lambda layer: layer.call.input_tokens + layer.call.output_tokens).call
    for name in _TOKENS:
        setattr(call, name, getattr(fullest, name))
    for layer in ordered:
        call = completed(call, layer.call)
    return call


def _order(layer: Layer) -> tuple[bool, bool, object, str]:
    identity = layer.identity
    return (not identity.litellm_id, not identity.response_id, layer.call.started_at, identity.span_id)


def completed(call: ReportedCall, other: ReportedCall) -> ReportedCall:
    """Returns a copy of `call` in which missing values are filled in from another report of the same call.

    Numbers of tokens that it has stay. All token fields are taken from `other` if `call` has no tokens. If the
    totals agree, missing details such as cached tokens are taken.
    """
    done = replace(call, tags=[*call.tags], corrections=[*call.corrections], layers=[*call.layers])
    _complete_tokens(done, other)
    if other.status == CLIENT_DISCONNECTED and not call.failed:  # only one of the layers may notice it
        done.status, done.has_error = other.status, other.has_error
    names = (*_DESCRIPTION, *_ERROR) if done.status >= 400 or done.has_error else _DESCRIPTION
    for name in names:
        value = getattr(done, name)
        if value is None or value is False or value == "":
            setattr(done, name, getattr(other, name))
    done.tags += [tag for tag in other.tags if tag not in done.tags]
    del done.tags[MAX_TAGS:]
    done.corrections += [note for note in other.corrections if note not in done.corrections]
    if not other.metadata.items() <= done.metadata.items():
        more = {name: value for name, value in other.metadata.items() if name not in done.metadata}
        done.metadata = fitted_metadata(done.metadata | more)
    return done


def _complete_tokens(call: ReportedCall, other: ReportedCall) -> None:
    if not call.input_tokens and not call.output_tokens:
        for name in _TOKENS:
            setattr(call, name, getattr(other, name))
    elif agree(usage_of(call), usage_of(other)):
        inputs = usage_of(call)[0]
        for name in _TOKENS:
            setattr(call, name, getattr(call, name) or getattr(other, name))
        if other.input_tokens in inputs:  # `other` shows whether the input includes cached tokens
            call.input_tokens = max(call.input_tokens, other.input_tokens)
        call.input_tokens = max(call.input_tokens, call.cached_tokens + call.cache_write_tokens)
        call.cache_write_1h_tokens = min(call.cache_write_1h_tokens, call.cache_write_tokens)
        call.input_audio_tokens = min(call.input_audio_tokens, call.input_tokens)
        call.output_audio_tokens = min(call.output_audio_tokens, call.output_tokens)


def put_together(layers: Iterable[Layer]) -> ReportedCall:
    """Returns one call merged from layers in order of arrival.

    Values of earlier reports stay; later reports fill in what is missing.
    """
    arrived = sorted(layers, key=lambda layer: layer.received_at)
    parts = [richest([*part]) for _at, part in groupby(arrived, key=lambda layer: layer.received_at)]
    call = parts[0]
    for more in parts[1:]:
        call = completed(call, more)
    call.layers = labels_of(arrived) if len(arrived) > 1 else []
    return call


def labels_of(layers: Iterable[Layer]) -> list[str]:
    return list(dict.fromkeys(layer.identity.label for layer in layers))[:MOST_LABELS]
