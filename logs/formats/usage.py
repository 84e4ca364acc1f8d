"""Tokens as providers and gateways count them, in Callboard's terms.

`input_tokens` includes the cached ones here, and the written ones; some senders count these beside the input.
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

Values = dict[str, Any]  # by the fields of TOKEN_FIELDS; as they were written, None for what was not said
Tokens = dict[str, int | None]


def provider_usage(usage: Mapping[str, Any]) -> Values:
    """The values of a usage object of OpenAI (chat or responses) or Anthropic, which LiteLLM passes on."""
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
    """The tokens of Langfuse's `usage_details`: a usage object of a provider, or tokens by kind.

    Kinds are counted apart, so "input" leaves out "input_cached_tokens" and "cache_read_input_tokens", unless the
    total shows that it does not.
    """
    if "prompt_tokens" in details or "input_tokens" in details:
        told = {name: read_tokens(field, value, notes) for name, value in provider_usage(details).items()}
        if (
            "prompt_tokens" not in details and "input_tokens_details" not in details
        ):  # Anthropic counts apart, too
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
    """The dollars of Langfuse's `cost_details`: their total, else the sum of the kinds."""
    if details.get("total") is not None:
        return read_cost(field, details["total"], notes)
    numbers = [read_number(value) for value in details.values()]
    known = [number for number in numbers if number is not None]
    return read_cost(field, sum(known), notes) if known else None


def _is_written(kind: str) -> bool:
    return "cache" in kind and ("creation" in kind or "write" in kind)


# Which of Langfuse's kinds of tokens are counted in a field.
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
    """The object that an attribute holds as JSON; an empty one for anything else."""
    if isinstance(text, str) and len(text) <= _LONGEST_JSON:
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            return found if isinstance(found, dict) else {}
    return {}


def consistent(tokens: Tokens, names: Mapping[str, str], notes: Notes) -> dict[str, int]:
    """The tokens, of which each part is within its whole.

    That a sender counts cached tokens beside the input, or reasoning beside the output, shows when they are more;
    otherwise the conventions are believed.
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
    """Reduces a count to the most that can be true; the note about it."""
    found[field] = most
    return note(names.get(field, field), problem, _("reduced to %d") % most)


def _object(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _said(values: Mapping[str, Any], *names: str) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)
