"""The filters of the activity page."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, DateFilter, ModelChoiceFilter

from config.list_filters import ListFilterSet, OlderForm
from teams.activity_texts import KINDS
from teams.models import Activity, Team, User

FIRST_MOMENT, LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class ActivityForm(OlderForm):
    """The form of the filters. It refuses a last day (`end`) before the first day (`start`)."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", _now("The last day is before the first."))
        return cleaned


class ActivityFilterSet(ListFilterSet):
    """Filters a team's activity by person, kind of change, first and last day.

    Days are in the team's time zone, and the last day is included.
    """

    person = ModelChoiceFilter(
        label=_("Person"),
        queryset=User.objects.none(),
        to_field_name="public_id",
        empty_label=_("Everybody"),
        method="of_person",
    )
    kind = ChoiceFilter(
        label=_("Kind"), choices=list(KINDS.items()), empty_label=_("Everything"), method="of_kind"
    )
    start = DateFilter(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}), method="from_day")
    end = DateFilter(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}), method="to_day")

    class Meta:
        model = Activity
        fields: list[str] = []
        form = ActivityForm

    def __init__(self, data: Any, *, team: Team) -> None:
        super().__init__(data, Activity.objects.filter(team=team))
        self.team = team
        self.filters["person"].queryset = people_of(team)

    def of_person(self, rows: QuerySet[Activity], name: str, value: User) -> QuerySet[Activity]:
        """Returns the rows in which this user made the change, or was the person who was changed."""
        return rows.filter(Q(actor=value) | Q(person=value))

    def of_kind(self, rows: QuerySet[Activity], name: str, value: str) -> QuerySet[Activity]:
        """Returns the rows about one kind of thing, such as `token`.

        The kind of thing is the part of `Activity.kind` before the dot.
        """
        return rows.filter(kind__startswith=f"{value}.")

    def from_day(self, rows: QuerySet[Activity], name: str, value: date) -> QuerySet[Activity]:
        """Returns the rows from the start of a day on."""
        return rows.filter(at__gte=self._midnight(value))

    def to_day(self, rows: QuerySet[Activity], name: str, value: date) -> QuerySet[Activity]:
        """Returns the rows up to the end of a day."""
        return rows.filter(at__lt=self._midnight(value, days_later=1))

    def _midnight(self, day: date, days_later: int = 0) -> datetime:
        """Returns the start, in UTC, of a day in the team's time zone.

        Returns the first or last possible time instead if that is outside of the years that Python can
        represent.
        """
        try:
            return datetime.combine(day + timedelta(days=days_later), time(), self.team.zone).astimezone(UTC)
        except OverflowError:
            return FIRST_MOMENT if day.year == 1 else LAST_MOMENT


def people_of(team: Team) -> QuerySet[User]:
    """Returns the users who changed something in the team or were changed there, by name."""
    rows = Activity.objects.filter(team=team)
    acted_or_changed = Q(pk__in=rows.values("actor")) | Q(pk__in=rows.values("person"))
    return User.objects.filter(acted_or_changed).order_by("name", "email")
