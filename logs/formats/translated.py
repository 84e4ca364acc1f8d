"""What foreign formats share: a record is translated to our own format, which `callboard` validates.

Their senders cannot be asked to change, and do not resend rejected calls. So values that make no sense are
corrected (`logs.formats.corrections`); only a record without a time or an id is rejected.
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
    """`parse_call` for a translated record, with corrected values noted.

    A record without a time or an id is rejected, and the error names the sender's own field, `names[ours]`. A
    record may have its own notes under "corrections".
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
    """The object at that path of keys; an empty one if anything on the way is something else."""
    found: Any = record
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def endpoint_of(value: object) -> object:
    """The endpoint in our words; unchanged if it has no word of ours."""
    if not isinstance(value, str):
        return value
    return _ENDPOINTS.get(value) or _ENDPOINTS.get(value.removeprefix("a")) or value


def service_tier_of(*values: object) -> str | None:
    """The tier from the first value that names one; None for the default. "auto" and the like say nothing."""
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
    """The values that may be kept, in their order as long as there is room."""
    said = {key: value for key, value in kept.items() if value not in (None, "", [], {})}
    with suppress(InvalidRecordError):
        return kept_metadata("metadata", said)
    fitting: dict[str, Any] = {}
    for key, value in said.items():
        with suppress(InvalidRecordError):
            fitting = kept_metadata("metadata", fitting | {key: value})
    return fitting


def first_email(*values: object) -> str | None:
    """The first value that is an e-mail address: members are only identified by their address."""
    return next((value for value in values if isinstance(value, str) and "@" in value), None)


def first_token(*values: object) -> str | None:
    """The first value that is one of our tokens, secret or public id; other systems' keys and hashes are not."""
    return next((value for value in values if isinstance(value, str) and value.startswith(_TOKEN_MARKS)), None)
