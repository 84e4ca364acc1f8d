"""Imports the models of all subpackages, because Django looks for them here. Import each from its own
subpackage.
"""

from usage.alerts.models import AlertPolicy, Message, RefusalAlert, ThresholdAlert, Webhook
from usage.anomalies.models import EpisodeAlert, EpisodeRecord, ExpectedEpisode, UsageMail
from usage.prices.models import Price, ZeroReport
from usage.quotas.models import (
    Balance,
    Quota,
    QuotaUse,
    Refusal,
    Reservation,
    ReservedSum,
    UnpricedReserve,
)
from usage.reporting.models import KeyAlert, KeyHour, KeyRejection
from usage.rollups.models import (
    ClockChange,
    DayDetail,
    DayMember,
    DayModel,
    DayToken,
    HourMember,
    HourModel,
    PastStamp,
)

__all__ = [
    "AlertPolicy",
    "Balance",
    "ClockChange",
    "DayDetail",
    "DayMember",
    "DayModel",
    "DayToken",
    "EpisodeAlert",
    "EpisodeRecord",
    "ExpectedEpisode",
    "HourMember",
    "HourModel",
    "KeyAlert",
    "KeyHour",
    "KeyRejection",
    "Message",
    "PastStamp",
    "Price",
    "Quota",
    "QuotaUse",
    "Refusal",
    "RefusalAlert",
    "Reservation",
    "ReservedSum",
    "ThresholdAlert",
    "UnpricedReserve",
    "UsageMail",
    "Webhook",
    "ZeroReport",
]
