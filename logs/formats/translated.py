"""What the foreign formats share: a record in their words becomes one in ours, and `callboard` judges it.

Their senders cannot be asked to change and do not send a call again that was rejected. So values that make no sense are
corrected (`logs.formats.corrections`); only what has no time or no id is rejected.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from logs.formats.callboard import SERVICE_TIERS, parse_call
from logs.formats.corrections import Notes, corrected
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
# What providers call the tiers.
_USUAL_TIER: Final = "default"
_TIERS: Final = {tier: tier for tier in SERVICE_TIERS} | dict.fromkeys(("standard", "on_demand"), _USUAL_TIER)
_TOKEN_MARKS: Final = ("tok_", "cb_live_", "cb_test_")


def parse_translated(record: dict[str, Any], names: Mapping[str, str], now: datetime) -> ReportedCall:
    """`parse_call` of a translated record, of which values that make no sense are corrected and noted.

    What has no time or no id is rejected, and the error names the sender's own field, `names[ours]`. A record may have
    notes of its own under "corrections".
    """
    own = record.get("corrections")
    notes: Notes = list(own) if isinstance(own, list) else []
    try:
        call = parse_call(record, now)
    except InvalidRecordError:
        changed, more = corrected(record, names)
        notes += more
        call = _parsed(changed, names, now)
    call.corrections = notes
    return call


def _parsed(record: dict[str, Any], names: Mapping[str, str], now: datetime) -> ReportedCall:
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


def endpoint_of(value: object) -> object:
    """What is called, in our words; as it was written if it has none."""
    if not isinstance(value, str):
        return value
    return _ENDPOINTS.get(value) or _ENDPOINTS.get(value.removeprefix("a")) or value


def service_tier_of(*values: object) -> str | None:
    """The tier by the first of the values that names one; None for the usual one. "auto" and the like say nothing."""
    known = (_TIERS.get(value.lower()) for value in values if isinstance(value, str))
    tier = next((tier for tier in known if tier), None)
    return tier if tier != _USUAL_TIER else None


def fitted_address(value: object) -> str | None:
    """The IP address, the first if proxies made it a list; None if it is something else ("testclient")."""
    try:
        return address("ip", value.split(",")[0].strip()) if isinstance(value, str) else None
    except InvalidRecordError:
        return None


def fitted_metadata(kept: Mapping[str, object]) -> dict[str, Any]:
    """Those of the values that say something and may be kept, in their order as long as there is room."""
    said = {key: value for key, value in kept.items() if value not in (None, "", [], {})}
    with suppress(InvalidRecordError):
        return kept_metadata("metadata", said)
    fitting: dict[str, Any] = {}
    for key, value in said.items():
        with suppress(InvalidRecordError):
            fitting = kept_metadata("metadata", fitting | {key: value})
    return fitting


def first_email(*values: object) -> str | None:
    """The first that is an e-mail address: members are known by theirs, and by no other name."""
    return next((value for value in values if isinstance(value, str) and "@" in value), None)


def first_token(*values: object) -> str | None:
    """The first that is a token of ours, secret or public id; other systems' keys and hashes are none."""
    return next((value for value in values if isinstance(value, str) and value.startswith(_TOKEN_MARKS)), None)
