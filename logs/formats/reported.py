"""A reported call, after its format was read and before it is charged."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logs.formats.identity import Identity
from logs.formats.statuses import CLIENT_DISCONNECTED

# The fields that few calls have, which are stored together in `Call.details`.
DETAILS = (
    "response_model",
    "service_tier",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "corrections",
    "layers",
)


class InvalidRecordError(Exception):
    """A record that is not a valid call. `param` names the field, the message says what to do."""

    def __init__(self, param: str | None, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


@dataclass(slots=True)
class ReportedCall:
    """One finished call in our own terms, whatever its format. Every field is valid.

    Times are aware, durations milliseconds, `cost_nanos` nano-dollars (None: to be priced). The caller is still
    as the sender wrote it: a `token` (secret or `tok_…`), or `team` slug and `member` e-mail, or empty if the
    key identifies them.
    """

    request_id: str
    started_at: datetime
    model: str
    status: int = 200
    latency_ms: int | None = None
    ttft_ms: int | None = None
    stream: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nanos: int | None = None
    provider: str = ""
    endpoint: str = ""
    channel: str = ""
    error_type: str = ""
    error_code: str = ""
    error_message: str = ""
    has_error: bool = False
    ip: str = ""
    user_agent: str = ""
    session_id: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    team: str = ""
    member: str = ""
    reservation: str = ""
    # What the price needs beside the tokens above: the model that answered, the tier, and parts of the tokens.
    response_model: str = ""
    service_tier: str = ""
    cache_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    # About values of its sender that made no sense: the field, what was wrong and what was done, never the value.
    corrections: list[str] = field(default_factory=list)

    # Labels of the reports that this call was put together from, if there are several.
    layers: list[str] = field(default_factory=list)
    # What a foreign format says about which call this is; None in our own, where `request_id` says it.
    identity: Identity | None = field(default=None, compare=False, repr=False)

    @property
    def failed(self) -> bool:
        """Whether it is an attempt that failed, after which another may follow: not if the client went away."""
        return self.status != CLIENT_DISCONNECTED and (self.status >= 400 or self.has_error)

    @property
    def details(self) -> dict[str, Any] | None:
        """The fields of `DETAILS` that are set, as they are stored; None if there are none."""
        return {name: value for name in DETAILS if (value := getattr(self, name))} or None
