"""The declaration of a call format: one value for the API, `import_calls` and the OpenAPI document."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from logs.formats.parsing import Record
from logs.formats.reported import ReportedCall

# Reads one record at a moment: the call that it reports, or None if it is about something else. Raises
# `InvalidRecordError` for what should be a call and cannot be one.
Parser = Callable[[object, datetime], ReportedCall | None]
Answer = dict[str, Any]
Schema = dict[str, Any]


def _itself(record: Record) -> Sequence[Record]:
    return (record,)


@dataclass(frozen=True)
class CallFormat:
    """A format in which calls are reported. To add one, add it to `logs.formats.FORMATS`; there is no other
    place.
    """

    name: str  # by which commands know it
    path: str  # where it is posted: below api/v1/ (which is described by OpenAPI) or otlp/
    summary: str  # for the description of the API
    bodies: Mapping[str, Schema]  # the content types that are read, the usual one first, each with its schema
    read: Callable[[HttpRequest], Sequence[Record]]  # the records of a request; raises `BodyError`
    parse: Parser
    id_field: str  # where a record has its id, by which one that cannot be read is named
    # The counts and rejections of a batch, and an error in OpenAI's shape, as the sender of such a type expects them.
    answer: Callable[[Answer, str], bytes]
    refusal: Callable[[Answer, str], bytes]
    # The records that one record of a file stands for.
    unfold: Callable[[Record], Sequence[Record]] = _itself
    # Whether a batch of which nothing was taken is an error of HTTP, because its senders read nothing else.
    rejects_by_status: bool = True
    # Whether it names people who are nobody to us when a person reports with their own token.
    names_end_users: bool = True

    def answer_type(self, sent: str) -> str:
        """The content type of the answer for a request's content type."""
        return sent if sent in self.bodies and sent != "application/x-ndjson" else next(iter(self.bodies))
