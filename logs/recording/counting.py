"""Counts accepted and rejected records for the page of the key that reported them (`usage.reporting`)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from logs.formats.bodies import BodyError
from teams.api import ApiError, Credential
from usage.reporting.counting import MOST_REASONS, Reason, Report, count_report


def count_answer(key: Credential, answer: dict[str, Any], now: datetime) -> None:
    """Counts the accepted, duplicate and rejected records of one request.

    `answer` is the dict that answers `POST /api/v1/calls`.
    """
    rejected: list[dict[str, Any]] = answer["rejected"]
    report = Report(
        accepted=answer["accepted"],
        duplicates=answer["duplicates"],
        rejected=len(rejected),
        reasons=_reasons(rejected),
    )
    count_report(key, report, now)


def count_refusal(key: Credential, error: ApiError | BodyError) -> None:
    """Counts a request that was refused as a whole, such as one with an unreadable body.

    Errors from 500 on (the database is unavailable) are not counted, because senders repeat such a request.
    """
    if error.status >= 500:
        return
    reason = Reason(error.code, str(error), error.param or "")
    count_report(key, Report(is_refused=True, reasons=[reason]), timezone.now())


def _reasons(rejected: Iterable[dict[str, Any]]) -> list[Reason]:
    """Groups rejected records by code, field and message, and returns each reason with its number of records.

    At most `MOST_REASONS` reasons are returned.
    """
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for one in rejected:
        key = (one["code"], one["param"] or "", one["message"])
        if key in found or len(found) < MOST_REASONS:
            found.setdefault(key, []).append(one)
    return [
        Reason(code, message, param, records[0]["request_id"] or "", len(records))
        for (code, param, message), records in found.items()
    ]
