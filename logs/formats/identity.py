"""What a report in a foreign format says about the identity of its call.

Gateways and instrumentations report one call several times, and with ids that are not unique: clients choose
LiteLLM's `litellm_call_id`, and some servers repeat their response ids. So a report carries all ids that it
has, and `logs.recording.identity` decides.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, NamedTuple

REQUEST_ID_CHARACTERS: Final = 128
# Of the ids of traces and spans, as they are kept for a day. The usual ones are shorter.
SPAN_ID_CHARACTERS: Final = 64
_HASH_CHARACTERS: Final = 32
LABEL_CHARACTERS: Final = 64
LITELLM: Final = "LiteLLM"


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids in one report; "" for those that it does not have. All are bounded and can be stored.

    `source` names who observed the call: reports from the same source are of different calls. `label` is shown
    to people. `deployment` distinguishes failed attempts.
    """

    source: str
    label: str
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    response_id: str = ""
    litellm_id: str = ""
    deployment: str = ""
    # The request id of a call by its span alone, which no other call has.
    span_name: str = ""
    # Other request ids under which the call may be stored.
    known_as: tuple[str, ...] = ()

    @property
    def match_key(self) -> str:
        """What reports of the same call from elsewhere have in common with this one."""
        if self.response_id:
            return self.response_id
        return bounded(f"litellm:{self.litellm_id}") if self.litellm_id else ""


class OtherSpan(NamedTuple):
    """A span that is not a call, but may stand between two layers of one; `team` is a slug, "" if it names
    none.
    """

    trace_id: str
    span_id: str
    parent_id: str
    team: str


def storable_id(value: object, limit: int = REQUEST_ID_CHARACTERS) -> str:
    """An id that every database can store, at most `limit` characters; "" if it is not an id.

    What does not fit or cannot be stored is partly replaced by its hash, so that different ids stay different.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    try:
        text = str(value)
    except ValueError:  # an integer of more digits than Python is willing to print
        return ""
    kept = text.replace("\0", "").encode("utf-8", "replace").decode()
    return bounded(kept, limit) if kept == text else _hashed(kept, text, limit)


def bounded(text: str, limit: int = REQUEST_ID_CHARACTERS) -> str:
    """The text or, if it is longer than `limit`, its beginning and a hash of it."""
    return text if len(text) <= limit else _hashed(text, text, limit)


def _hashed(shown: str, text: str, limit: int) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
    return f"{shown[: limit - _HASH_CHARACTERS - 1]}~{digest}"
