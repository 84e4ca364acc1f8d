"""Declares what a call format consists of, for the API, the command `import_calls` and the OpenAPI document."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from logs.formats.parsing import Record
from logs.formats.reported import ReportedCall

# Converts a record, received at the given time, to a call; None if it is not about a call. Raises
# `InvalidRecordError` for a record of a call that is not valid.
Parser = Callable[[object, datetime], ReportedCall | None]
Answer = dict[str, Any]
Schema = dict[str, Any]


def _itself(record: Record) -> Sequence[Record]:
    return (record,)


@dataclass(frozen=True)
class CallFormat:
    """A format in which calls are reported.

    To add a format, add it to `logs.formats.FORMATS`; nothing else needs to be registered.
    """

    name: str  # the value of `--format` in commands
    path: str  # where it is posted: below api/v1/ (which is described by OpenAPI) or otlp/
    summary: str  # for the description of the API
    bodies: Mapping[str, Schema]  # the content types that are read, the usual one first, each with its schema
    read: Callable[[HttpRequest], Sequence[Record]]  # the records of a request; raises `BodyError`
    parse: Parser
    id_field: str  # the field with a record's id, which names a rejected record in the answer
    # Encode the counts and rejections of a batch, and an error in OpenAI's shape, for a content type.
    answer: Callable[[Answer, str], bytes]
    refusal: Callable[[Answer, str], bytes]
    # Splits one record of a file into records of calls.
    unfold: Callable[[Record], Sequence[Record]] = _itself
    # Whether a batch without any accepted record is answered by an HTTP error; these senders check only that.
    rejects_by_status: bool = True
    # Whether `member` may be an end user of the sender, which is ignored if a member's own token reports.
    names_end_users: bool = True

    def answer_type(self, sent: str) -> str:
        """Returns the content type of the response to a request with the content type `sent`."""
        return sent if sent in self.bodies and sent != "application/x-ndjson" else next(iter(self.bodies))
