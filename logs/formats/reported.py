"""The reported call: what every format is converted to, before the call is recorded and charged."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logs.formats.identity import Identity
from logs.formats.statuses import CLIENT_DISCONNECTED

# Fields that few calls have; they are stored together in the JSON column `Call.details`.
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
    """A record that is not a valid call. `param` names the field; the message says how to correct it."""

    def __init__(self, param: str | None, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


@dataclass(slots=True)
class ReportedCall:
    """One finished call with Callboard's field names, whatever its format was. Every field is valid.

    Times are aware, durations are milliseconds, `cost_nanos` is nano-dollars (None: to be computed). The caller
    is still as the sender wrote it: a `token` (secret or `tok_…`), or `team` slug and `member` e-mail, or
    nothing if the key identifies them.
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
    # Further values for the price: the model that answered, the service tier, and parts of the tokens above.
    response_model: str = ""
    service_tier: str = ""
    cache_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    # Notes about invalid values: the sender's field, the problem and the correction, never the value itself.
    corrections: list[str] = field(default_factory=list)

    # Labels of the reports from which this call was merged, if there are several.
    layers: list[str] = field(default_factory=list)
    # The ids in a report of a foreign format; None in Callboard's own, where `request_id` is unique.
    identity: Identity | None = field(default=None, compare=False, repr=False)

    @property
    def failed(self) -> bool:
        """Whether the call failed, so that a retry may follow. False if the client disconnected (499)."""
        return self.status != CLIENT_DISCONNECTED and (self.status >= 400 or self.has_error)

    @property
    def details(self) -> dict[str, Any] | None:
        """The fields of `DETAILS` that are set, as they are stored in `Call.details`; None if none is set."""
        return {name: value for name in DETAILS if (value := getattr(self, name))} or None
