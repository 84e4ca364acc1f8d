"""Declares all filters of the logs. How to add one is described in `docs/contributing.md`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import FilterSet

from config import formatting
from logs.models import Call
from logs.search.choices import (
    count_members,
    count_models,
    count_newest_failed,
    count_outcomes,
    count_routes,
    count_tags,
    count_tokens,
)
from logs.search.filter_types import (
    AddressFilter,
    CallFilter,
    DimensionFilter,
    DollarsFilter,
    ExactFilter,
    ManyFilter,
    Parameter,
    RangeFilter,
    TextFilter,
    YesNoFilter,
)
from logs.search.forms import CallForm, TailForm
from logs.search.query import CallQuery, Index, by_error, by_latency, by_price, by_tag
from teams.access import Access
from teams.models import Token, User
from usage.parameters.forms import EARLIEST_YEAR, LATEST_YEAR, outcomes_named
from usage.rollups.models import Outcome
from usage.rollups.query import Dimension, Granularity, Range

_ANY_TIME = Range(datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC), datetime(LATEST_YEAR, 1, 1, tzinfo=UTC))
_MILLISECONDS = gettext_lazy("milliseconds")


def statuses_named(texts: Sequence[str]) -> dict[str, int]:
    """Returns the HTTP status codes that texts stand for, by text. A code has three digits, or is 0 for calls
    without a status; other texts are left out.
    """
    return {
        text: int(text)
        for text in texts
        if text == "0" or (text.isascii() and text.isdigit() and len(text) == 3)
    }


def _labels_of_members(ids: Sequence[int]) -> list[str]:
    return [user.label for user in User.objects.filter(pk__in=ids)]


def _labels_of_tokens(ids: Sequence[int]) -> list[str]:
    """Returns the names of tokens; the id 0 stands for calls without a token."""
    names = [*Token.objects.filter(pk__in=set(ids) - {0}).values_list("name", flat=True)] if any(ids) else []
    return [*names, _("none")] if 0 in ids else names


class RequestFilter(ExactFilter):
    """Filters by request ID. It identifies one call, so the period is ignored."""

    def filter(self, query: CallQuery, value: str) -> CallQuery:
        if value:
            usage = replace(query.usage, range=_ANY_TIME, previous=None, granularity=Granularity.MONTH)
            query = replace(query, usage=usage)
        return super().filter(query, value)


class CallFilterSet(FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Reads the query string of the logs into a frozen `CallQuery`.

    The filters are declared in the order in which the page shows their chips.
    """

    member = DimensionFilter(
        Dimension.MEMBER,
        label=gettext_lazy("Member"),
        about="address or public id",
        choices=count_members,
        labels_of=_labels_of_members,
        is_for_team=True,
        is_always_shown=True,
    )
    model = DimensionFilter(
        Dimension.MODEL,
        label=gettext_lazy("Model"),
        about="the whole name, which may have commas",
        choices=count_models,
        is_always_shown=True,
    )
    token = DimensionFilter(
        Dimension.TOKEN,
        label=gettext_lazy("Token"),
        about="public id, or none for calls without one",
        choices=count_tokens,
        labels_of=_labels_of_tokens,
        is_always_shown=True,
    )
    outcome = ManyFilter(
        "outcome",
        label=gettext_lazy("Outcome"),
        about=", ".join(outcome.word for outcome in Outcome),
        named=outcomes_named,
        unknown=gettext_lazy("There is no outcome “%s”."),
        label_of=lambda value: Outcome(value).label,
        choices=count_outcomes,
        is_always_shown=True,
        indexes=(Index.BY_MEMBER, Index.BY_MODEL, Index.FAILED),
        fails=lambda outcomes: Outcome.SUCCEEDED not in outcomes,
    )
    status = ManyFilter(
        "status",
        label=gettext_lazy("Status"),
        about="an HTTP status code",
        named=statuses_named,
        unknown=gettext_lazy("“%s” is not an HTTP status."),
        choices=count_newest_failed,
        indexes=(Index.FAILED,),
        fails=lambda statuses: min(statuses) >= 400,
    )
    provider = ManyFilter(
        "provider",
        label=gettext_lazy("Provider"),
        about="the provider of the model",
        choices=count_routes,
        indexes=(Index.BY_ROUTE,),
    )
    endpoint = ManyFilter(
        "endpoint",
        label=gettext_lazy("Endpoint"),
        about="the endpoint, such as chat",
        choices=count_routes,
        indexes=(Index.BY_ROUTE,),
    )
    channel = ManyFilter(
        "channel",
        label=gettext_lazy("Channel"),
        about="the channel of the gateway",
        choices=count_routes,
        indexes=(Index.BY_ROUTE,),
    )
    error_type = ManyFilter(
        "error_type",
        label=gettext_lazy("Error type"),
        about="the type of the error",
        choices=count_newest_failed,
        indexes=(Index.FAILED,),
        fails=lambda types: True,
    )
    tag = ExactFilter(
        "tag",
        label=gettext_lazy("Tag"),
        about="a tag of the call",
        max_length=64,
        choices=count_tags,
        indexes=(Index.BY_TAG,),
        sql=by_tag,
    )
    latency = RangeFilter(
        "latency_key",
        label=gettext_lazy("Latency"),
        about="latency in milliseconds",
        unit=_MILLISECONDS,
        amount=formatting.milliseconds,
        is_always_shown=True,
        indexes=(Index.BY_LATENCY, Index.FAILED),
        sql=by_latency,
    )
    ttft = RangeFilter(
        "ttft_ms",
        label=gettext_lazy("First token"),
        about="time to first token in milliseconds",
        unit=_MILLISECONDS,
        amount=formatting.milliseconds,
        indexes=(Index.BY_TTFT,),
    )
    tokens = RangeFilter(
        "tokens_key",
        label=gettext_lazy("Tokens used"),
        about="input and output tokens together",
        unit=gettext_lazy("tokens"),
        amount=formatting.plain,
        indexes=(Index.BY_TOKENS,),
    )
    cost = DollarsFilter(
        "cost_nanos",
        label=gettext_lazy("Cost"),
        about="cost in US dollars",
        unit=gettext_lazy("dollars"),
        amount=formatting.exact_money,
        indexes=(Index.BY_COST, Index.FAILED),
    )
    error = TextFilter(
        "error",
        label=gettext_lazy("Error text"),
        about="a part of the message, type or code of the error, in letters of either case",
        max_length=200,
        sql=by_error,
        fails=lambda text: True,
    )
    request = RequestFilter(
        "request_id",
        label=gettext_lazy("Request ID"),
        about="a request ID, exactly; looked for at any time",
        max_length=128,
        entry=Index.BY_REQUEST,
    )
    session = ExactFilter(
        "session_id",
        label=gettext_lazy("Session"),
        about="a session id, exactly",
        max_length=128,
        entry=Index.BY_SESSION,
    )
    ip = AddressFilter(
        "ip",
        label=gettext_lazy("IP address"),
        about="the IP address of the caller",
        max_length=64,
        entry=Index.BY_IP,
    )
    stream = YesNoFilter(
        "stream",
        label=gettext_lazy("Streamed"),
        about="whether the answer was streamed",
        indexes=(Index.BY_ROUTE,),
    )
    unpriced = YesNoFilter(
        "unpriced",
        label=gettext_lazy("Unpriced"),
        about="whether no price of the call is known",
        indexes=(Index.UNPRICED,),
        sql=by_price,
    )

    class Meta:
        form = CallForm

    filters: dict[str, CallFilter]

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data, Call.objects.none())
        self._access, self._now = access, now

    @classmethod
    def get_filters(cls) -> dict[str, CallFilter]:
        """Returns the declared filters by name, and sets the name of each."""
        declared: dict[str, CallFilter] = super().get_filters()
        for name, one in declared.items():
            one.name = name
        return declared

    @classmethod
    @cache
    def get_form_class(cls) -> type[CallForm]:
        """Returns the form class, with the fields of all filters added."""
        declared = cls.base_filters.values()
        fields: dict[str, Any] = {name: field for one in declared for name, field in one.fields.items()}
        ranges = tuple(one.names for one in declared if isinstance(one, RangeFilter))
        form = cls._meta.form
        return cast(type[CallForm], type(form)(form.__name__, (form,), {**fields, "ranges": ranges}))

    @cached_property
    def form(self) -> CallForm:
        """The form, bound to the query string. Its errors are keyed by the invalid parameter."""
        return self.get_form_class()(self.data, access=self._access, now=self._now)

    @cached_property
    def qs(self) -> CallQuery:
        """The `CallQuery` of a valid form; no queryset. The form restricts members to their own calls."""
        return self.filter_queryset(CallQuery(self.form.query(), self.form.cleaned_data["sort"]))

    def filter_queryset(self, queryset: CallQuery) -> CallQuery:
        """Returns the `CallQuery` refined by every filter. It is not run here, so that `make_plan` can choose
        an index first.
        """
        for one in self.filters.values():
            queryset = one.filter(queryset, one.value_in(self.form.cleaned_data))
        return queryset

    @property
    def shown(self) -> list[CallFilter]:
        """The filters that are shown to this user: members do not see those that only make sense for the whole
        team.
        """
        return [one for one in self.filters.values() if self._access.sees_team or not one.is_for_team]


def call_parameters() -> list[Parameter]:
    """Returns the query parameters of all filters, as OpenAPI and the docs describe them."""
    return [parameter for one in CallFilterSet.base_filters.values() for parameter in one.parameters()]


class TailFilterSet(CallFilterSet):
    """The filters of requests for new calls, which a live list sends repeatedly (see `logs.browsing.tail`)."""

    class Meta:
        form = TailForm
