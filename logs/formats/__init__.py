"""The formats that calls come in: each module turns records into `ReportedCall`s, or says what is wrong.

`callboard` is the format of API.md §3 and the only judge of what a valid call is. The others translate
into it first (`translated`), so one set of limits holds for all.
"""

from collections.abc import Callable
from datetime import datetime

from logs.formats.callboard import parse_call
from logs.formats.litellm import parse_payload
from logs.formats.reported import ReportedCall

# Reads one record at a moment; raises InvalidRecordError for what cannot be a call.
Parser = Callable[[object, datetime], ReportedCall]

# By the name that commands know a format by.
FORMATS: dict[str, Parser] = {"callboard": parse_call, "litellm": parse_payload}
