"""The ids in a report of a foreign format, by which reports of the same call are recognised.

Gateways and instrumentations report one call several times, with ids that are not unique: clients choose
LiteLLM's `litellm_call_id`, and some servers repeat their response ids. So a report carries all the ids that it
has, and `logs.recording.identity` decides which reports are about the same call.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, NamedTuple

REQUEST_ID_CHARACTERS: Final = 128
# The maximum length at which an id of a trace or span is stored. Valid ids are shorter.
SPAN_ID_CHARACTERS: Final = 64
_HASH_CHARACTERS: Final = 32
LABEL_CHARACTERS: Final = 64
LITELLM: Final = "LiteLLM"


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids in one report of a call; "" for an id that the report does not have. All fit into the database.

    `source` names the observer: two reports from the same source are about different calls. `label` is shown to
    people. `deployment` distinguishes failed attempts of LiteLLM.
    """

    source: str
    label: str
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    response_id: str = ""
    litellm_id: str = ""
    deployment: str = ""
    # A request id made of trace and span id alone, which is unique to the call.
    span_name: str = ""
    # Other request ids under which the call may be stored.
    known_as: tuple[str, ...] = ()

    @property
    def match_key(self) -> str:
        """The id that this report shares with other observers' reports of the same call; "" if there is none.

        The response id, or else LiteLLM's id of the call.
        """
        if self.response_id:
            return self.response_id
        return bounded(f"litellm:{self.litellm_id}") if self.litellm_id else ""


class OtherSpan(NamedTuple):
    """A span that is not a call, but may lie between two spans that report the same call.

    `team` is a slug; "" if the span names none.
    """

    trace_id: str
    span_id: str
    parent_id: str
    team: str


def storable_id(value: object, limit: int = REQUEST_ID_CHARACTERS) -> str:
    """Returns an id as text that both databases can store, at most `limit` characters long.

    If characters cannot be stored or do not fit, a hash is added, so that different ids stay different. Returns
    "" if the value is not an id (neither a string nor an integer).
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
    """Returns the text; if it is longer than `limit`, its beginning followed by a hash of the text."""
    return text if len(text) <= limit else _hashed(text, text, limit)


def _hashed(shown: str, text: str, limit: int) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
    return f"{shown[: limit - _HASH_CHARACTERS - 1]}~{digest}"
