"""Counts a request for the page of its key (`usage.reporting`)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from logs.formats.bodies import BodyError
from teams.api import ApiError, Credential
from usage.reporting.counting import MOST_REASONS, Reason, Report, count_report


def count_answer(key: Credential, answer: dict[str, Any], now: datetime) -> None:
    """Counts the records of a request by its answer, in the form of `POST /api/v1/calls`."""
    rejected: list[dict[str, Any]] = answer["rejected"]
    report = Report(
        accepted=answer["accepted"],
        duplicates=answer["duplicates"],
        rejected=len(rejected),
        reasons=_reasons(rejected),
    )
    count_report(key, report, now)


def count_refusal(key: Credential, error: ApiError | BodyError) -> None:
    """Counts a request that was refused as a whole; not if the database was unavailable, because then it is
    repeated.
    """
    if error.status >= 500:
        return
    reason = Reason(error.code, str(error), error.param or "")
    count_report(key, Report(is_refused=True, reasons=[reason]), timezone.now())


def _reasons(rejected: Iterable[dict[str, Any]]) -> list[Reason]:
    """The distinct reasons with their numbers of records; only a few, however many records were rejected."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for one in rejected:
        key = (one["code"], one["param"] or "", one["message"])
        if key in found or len(found) < MOST_REASONS:
            found.setdefault(key, []).append(one)
    return [
        Reason(code, message, param, records[0]["request_id"] or "", len(records))
        for (code, param, message), records in found.items()
    ]
