"""What the foreign formats share: a record in their words becomes one in ours, and `callboard` judges it.

Identity, times and numbers are judged as strictly as our own. What only describes a call (labels, tags,
addresses) is fitted instead: its sender cannot be asked to change, and a call lost is worse than a tag.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from logs.formats.callboard import LABEL_CHARACTERS, MAX_TAGS, parse_call
from logs.formats.metadata import kept_metadata
from logs.formats.readers import address
from logs.formats.reported import InvalidRecordError, ReportedCall

# LiteLLM's names of what is called, to ours; an "a" in front marks its asynchronous twin.
_ENDPOINTS: Final = {
    "completion": "chat",
    "text_completion": "completions",
    "embedding": "embeddings",
    "image_generation": "images",
    "transcription": "transcriptions",
}
_TOKEN_MARKS: Final = ("tok_", "cb_live_", "cb_test_")


def parse_translated(record: dict[str, Any], names: Mapping[str, str], now: datetime) -> ReportedCall:
    """`parse_call` of a translated record; an error names the sender's own field, `names[ours]`."""
    try:
        return parse_call(record, now)
    except InvalidRecordError as error:
        theirs = names.get(error.param or "", error.param)
        message = str(error) if theirs == error.param else f"{theirs}: {error}"
        raise InvalidRecordError(theirs, message, error.code) from None


def object_at(record: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The object at that path of keys; an empty one when anything on the way is something else."""
    found: Any = record
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def with_cached_inside(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with input tokens that include cached ones, which some senders count beside the input.

    That they did shows when the cached are more than the input; otherwise the conventions are believed.
    """
    told = fields["input_tokens"]
    cached = sum(fields[name] for name in ("cached_tokens", "cache_write_tokens") if type(fields[name]) is int)
    return fields | {"input_tokens": told + cached} if type(told) is int and 0 <= told < cached else fields


def fitted(value: object, limit: int = LABEL_CHARACTERS) -> str | None:
    """The value if it is a string that has something in it and can be stored, cut to `limit`; else None."""
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:limit].strip() or None


def fitted_endpoint(value: object) -> str:
    name = fitted(value) or ""
    return _ENDPOINTS.get(name) or _ENDPOINTS.get(name.removeprefix("a")) or name


def fitted_tags(value: object) -> list[str]:
    tags = [fitted(tag) for tag in value] if isinstance(value, list) else []
    return [tag for tag in tags if tag][:MAX_TAGS]


def fitted_address(value: object) -> str | None:
    """The IP address, the first if proxies made it a list; None if it is something else ("testclient")."""
    try:
        return address("ip", value.split(",")[0].strip()) if isinstance(value, str) else None
    except InvalidRecordError:
        return None


def fitted_metadata(kept: Mapping[str, object]) -> dict[str, Any]:
    """Those of the values that say something and may be kept, in their order as long as there is room."""
    fitting: dict[str, Any] = {}
    for key, value in kept.items():
        if value in (None, "", [], {}):
            continue
        with suppress(InvalidRecordError):
            fitting = kept_metadata("metadata", fitting | {key: value})
    return fitting


def first_email(*values: object) -> str | None:
    """The first that is an e-mail address: members are known by theirs, and by no other name."""
    return next((value for value in values if isinstance(value, str) and "@" in value), None)


def first_token(*values: object) -> str | None:
    """The first that is a token of ours, secret or public id; other systems' keys and hashes are none."""
    return next((value for value in values if isinstance(value, str) and value.startswith(_TOKEN_MARKS)), None)
