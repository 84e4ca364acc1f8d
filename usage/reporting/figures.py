"""Reads the figures for the pages of keys: accepted, duplicate and rejected records, and the reasons."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from usage.reporting.counting import Key, hour_of, kind_of
from usage.reporting.models import KeyHour, KeyKind, KeyRejection

DAY, WEEK = timedelta(hours=24), timedelta(days=7)
_COUNTS: Final = ("accepted", "duplicates", "rejected", "refused_requests")


@dataclass(frozen=True)
class Counts:
    """How many records a key sent in a period, by result, and how many requests were refused as a whole."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    refused_requests: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.accepted or self.duplicates or self.has_rejections)

    @property
    def has_rejections(self) -> bool:
        return bool(self.rejected or self.refused_requests)


@dataclass(frozen=True)
class KeyReport:
    """All figures of one key; `reasons` has the latest rejections, newest first."""

    day: Counts
    week: Counts
    reasons: Sequence[KeyRejection]

    @property
    def periods(self) -> list[tuple[str, Counts]]:
        """The rows of the table: a label and the counts, for the last 24 hours and for the last 7 days."""
        return [(_("Last 24 hours"), self.day), (_("Last 7 days"), self.week)]


@dataclass(frozen=True)
class KeySummary:
    """The figures of one key in a list: the last 24 hours, and the newest rejection if there was any."""

    day: Counts
    newest: KeyRejection | None = None


def key_report(key: Key, now: datetime) -> KeyReport:
    """Returns the figures of one key, in three SQL queries."""
    kind, ids = kind_of(key), [key.pk]
    day, week = (counts_of(kind, ids, now - length).get(key.pk, Counts()) for length in (DAY, WEEK))
    reasons = KeyRejection.objects.filter(key_kind=kind, key_id=key.pk, at__gt=now - WEEK).order_by("-id")
    return KeyReport(day, week, list(reasons))


def summaries(kind: KeyKind, ids: Collection[int], now: datetime) -> dict[int, KeySummary]:
    """Returns the summary of each key that sent records in the last 24 hours, by key id.

    Two SQL queries, or one if nothing was rejected.
    """
    found = counts_of(kind, ids, now - DAY)
    rejected = [key_id for key_id, counts in found.items() if counts.has_rejections]
    newest = _newest(kind, rejected) if rejected else {}
    return {key_id: KeySummary(counts, newest.get(key_id)) for key_id, counts in found.items()}


def counts_of(kind: KeyKind, ids: Collection[int], since: datetime) -> dict[int, Counts]:
    """Returns, by key id, what each token or gateway key (`kind`) has reported since an instant; keys that sent
    nothing are left out.
    """
    hours = KeyHour.objects.filter(key_kind=kind, key_id__in=ids, hour__gte=hour_of(since))
    rows = hours.values_list("key_id").annotate(*(Sum(name) for name in _COUNTS)).order_by()
    return {key_id: Counts(*map(int, counts)) for key_id, *counts in rows}


def _newest(kind: KeyKind, ids: Collection[int]) -> dict[int, KeyRejection]:
    of_keys = KeyRejection.objects.filter(key_kind=kind, key_id__in=ids)
    newest = of_keys.values("key_id").annotate(newest=Max("id")).order_by().values("newest")
    return {row.key_id: row for row in KeyRejection.objects.filter(pk__in=newest)}
