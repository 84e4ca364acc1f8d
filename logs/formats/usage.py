"""Converts the token counts of providers and gateways to Callboard's fields.

Callboard's `input_tokens` includes the tokens read from and written to a cache; some senders count these
separately.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from django.utils.translation import gettext as _

from logs.formats.callboard import MAX_TOKENS
from logs.formats.corrections import Notes, note, read_cost, read_number, read_tokens

TOKEN_FIELDS: Final = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
)
_LONGEST_JSON: Final = 64 * 1024

Values = dict[str, Any]  # the values as sent, by the fields of TOKEN_FIELDS; None if missing
Tokens = dict[str, int | None]


def provider_usage(usage: Mapping[str, Any]) -> Values:
    """Returns the values of an OpenAI (chat or responses) or Anthropic usage object, by Callboard's fields.

    LiteLLM passes these objects on. The values are not checked.
    """
    read = _object(usage, "prompt_tokens_details") or _object(usage, "input_tokens_details")
    written = _object(usage, "completion_tokens_details") or _object(usage, "output_tokens_details")
    by_age = _object(usage, "cache_creation") or _object(read, "cache_creation_token_details")
    return {
        "input_tokens": _said(usage, "prompt_tokens", "input_tokens"),
        "output_tokens": _said(usage, "completion_tokens", "output_tokens"),
        "cached_tokens": _said(read, "cached_tokens", "cache_read_tokens")
        or usage.get("cache_read_input_tokens"),
        "cache_write_tokens": usage.get("cache_creation_input_tokens")
        or _said(read, "cache_creation_tokens", "cache_write_tokens"),
        "cache_write_1h_tokens": by_age.get("ephemeral_1h_input_tokens"),
        "reasoning_tokens": written.get("reasoning_tokens"),
        "input_audio_tokens": read.get("audio_tokens"),
        "output_audio_tokens": written.get("audio_tokens"),
    }


def langfuse_usage(details: Mapping[str, Any], notes: Notes, field: str) -> Tokens:
    """Returns the numbers of tokens in Langfuse's `usage_details`, by Callboard's fields.

    `usage_details` is a provider's usage object, or contains numbers by kind of tokens. Kinds do not overlap:
    "input" does not include "input_cached_tokens" and "cache_read_input_tokens". But if the total is the sum of
    "input" and "output" alone, these include all other kinds.
    """
    if "prompt_tokens" in details or "input_tokens" in details:
        told = {name: read_tokens(field, value, notes) for name, value in provider_usage(details).items()}
        if (
            "prompt_tokens" not in details and "input_tokens_details" not in details
        ):  # Anthropic's input does not include cached tokens, either
            told["input_tokens"] = sum(
                told[f"{kind}_tokens"] or 0 for kind in ("input", "cached", "cache_write")
            )
        return told
    kinds = {kind: read_tokens(field, value, notes) or 0 for kind, value in details.items() if kind != "total"}
    found: dict[str, int] = dict.fromkeys(TOKEN_FIELDS, 0)
    for kind, tokens in kinds.items():
        for name, holds in _KINDS.items():
            found[name] += tokens * holds(kind)
    if read_number(details.get("total")) == kinds.get("input", 0) + kinds.get("output", 0):
        found |= {"input_tokens": kinds.get("input", 0), "output_tokens": kinds.get("output", 0)}
    return {**found}


def langfuse_cost(details: Mapping[str, Any], notes: Notes, field: str) -> object:
    """Returns the US dollars of Langfuse's `cost_details`: the total, or else the sum over the kinds."""
    if details.get("total") is not None:
        return read_cost(field, details["total"], notes)
    numbers = [read_number(value) for value in details.values()]
    known = [number for number in numbers if number is not None]
    return read_cost(field, sum(known), notes) if known else None


def _is_written(kind: str) -> bool:
    return "cache" in kind and ("creation" in kind or "write" in kind)


# For each field, whether a kind of tokens in Langfuse counts in it.
_KINDS: Final[Mapping[str, Callable[[str], bool]]] = {
    "input_tokens": lambda kind: kind.startswith(("input", "cache")),
    "output_tokens": lambda kind: kind.startswith("output"),
    "cached_tokens": lambda kind: "cache" in kind and not _is_written(kind),
    "cache_write_tokens": _is_written,
    "cache_write_1h_tokens": lambda kind: _is_written(kind) and "1h" in kind,
    "reasoning_tokens": lambda kind: "reasoning" in kind,
    "input_audio_tokens": lambda kind: kind.startswith("input") and "audio" in kind,
    "output_audio_tokens": lambda kind: kind.startswith("output") and "audio" in kind,
}


def json_object(text: object) -> dict[str, Any]:
    """Parses an attribute that contains a JSON object; returns {} for anything else."""
    if isinstance(text, str) and len(text) <= _LONGEST_JSON:
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            return found if isinstance(found, dict) else {}
    return {}


def consistent(tokens: Tokens, names: Mapping[str, str], notes: Notes) -> dict[str, int]:
    """Returns the tokens with every part within its total: cached in input, reasoning in output, audio in both.

    If there are more cached than input tokens, or more reasoning than output tokens, the sender counts them
    separately and they are added. Other impossible numbers are reduced and noted.
    """
    found = {field: tokens.get(field) or 0 for field in TOKEN_FIELDS}
    found["cache_write_tokens"] = max(found["cache_write_tokens"], found["cache_write_1h_tokens"])
    cached = found["cached_tokens"] + found["cache_write_tokens"]
    if found["input_tokens"] < cached:
        found["input_tokens"] += cached
    if found["output_tokens"] < found["reasoning_tokens"]:
        found["output_tokens"] += found["reasoning_tokens"]
    for part, whole in _AUDIO.items():
        if found[part] > found[whole]:
            notes.append(
                _reduced(
                    found, part, found[whole], _("must not be more than %s") % names.get(whole, whole), names
                )
            )
    if max(found.values()) > MAX_TOKENS:
        for field in (field for field in TOKEN_FIELDS if found[field] > MAX_TOKENS):
            notes.append(_reduced(found, field, MAX_TOKENS, _("must be at most %d") % MAX_TOKENS, names))
    return found


_AUDIO: Final = {"input_audio_tokens": "input_tokens", "output_audio_tokens": "output_tokens"}


def _reduced(found: dict[str, int], field: str, most: int, problem: str, names: Mapping[str, str]) -> str:
    """Sets a number of tokens to the largest possible value, and returns the note about it."""
    found[field] = most
    return note(names.get(field, field), problem, _("reduced to %d") % most)


def _object(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _said(values: Mapping[str, Any], *names: str) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)
