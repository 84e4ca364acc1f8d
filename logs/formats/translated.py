"""Functions that the foreign formats share: records are translated to our own format and then validated.

Senders of these formats cannot be changed, and they do not resend rejected records. So invalid values are
corrected (`logs.formats.corrections`); only a record without a valid start time or id is rejected.
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

# LiteLLM's names of endpoints, and ours. LiteLLM prefixes asynchronous variants with "a".
_ENDPOINTS: Final = {
    "completion": "chat",
    "text_completion": "completions",
    "embedding": "embeddings",
    "image_generation": "images",
    "transcription": "transcriptions",
}
# The names that providers use for service tiers, and ours.
_USUAL_TIER: Final = "default"
_TIERS: Final = {tier: tier for tier in SERVICE_TIERS} | dict.fromkeys(("standard", "on_demand"), _USUAL_TIER)
_TOKEN_MARKS: Final = ("tok_", "cb_live_", "cb_test_")


def parse_translated(record: dict[str, Any], names: Mapping[str, str], now: datetime) -> ReportedCall:
    """Validates a translated record with `parse_call`; invalid values are corrected and noted on the call.

    A record without a valid time or id is rejected. The error names the sender's own field: `names` maps our
    field names to the sender's. The record may already contain notes, under "corrections".
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
    """Returns the object at this path of keys; {} if there is none, or if another value is in the way."""
    found: Any = record
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def endpoint_of(value: object) -> object:
    """Returns our name of an endpoint; the value unchanged if we have no name for it."""
    if not isinstance(value, str):
        return value
    return _ENDPOINTS.get(value) or _ENDPOINTS.get(value.removeprefix("a")) or value


def service_tier_of(*values: object) -> str | None:
    """Returns the service tier from the first value that names one; None for the default tier.

    Values such as "auto" name no tier and are skipped.
    """
    known = (_TIERS.get(value.lower()) for value in values if isinstance(value, str))
    tier = next((tier for tier in known if tier), None)
    return tier if tier != _USUAL_TIER else None


def fitted_address(value: object) -> str | None:
    """Returns an IP address, the first of a list that proxies wrote; None for anything else ("testclient")."""
    try:
        return address("ip", value.split(",")[0].strip()) if isinstance(value, str) else None
    except InvalidRecordError:
        return None


def fitted_metadata(kept: Mapping[str, object]) -> dict[str, Any]:
    """Returns the metadata without values that are empty, cannot be stored, or exceed the limit of 4 KiB.

    Values that come first take precedence.
    """
    said = {key: value for key, value in kept.items() if value not in (None, "", [], {})}
    with suppress(InvalidRecordError):
        return kept_metadata("metadata", said)
    fitting: dict[str, Any] = {}
    for key, value in said.items():
        with suppress(InvalidRecordError):
            fitting = kept_metadata("metadata", fitting | {key: value})
    return fitting


def first_email(*values: object) -> str | None:
    """Returns the first value that is an e-mail address; None if none is. Members have no other identifier."""
    return next((value for value in values if isinstance(value, str) and "@" in value), None)


def first_token(*values: object) -> str | None:
    """Returns the first value that looks like a token of Callboard, a secret or a public id; None if none does.

    Keys and key hashes of other systems are skipped.
    """
    return next((value for value in values if isinstance(value, str) and value.startswith(_TOKEN_MARKS)), None)
