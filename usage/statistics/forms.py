"""Forms that read the query strings of the usage pages."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.access import Access
from teams.models import Membership, Token, User
from usage.parameters.forms import InstantField, ManyField, RangeFilter, UsageFilter, outcomes_named
from usage.parameters.names import NO_TOKEN, people_refused
from usage.quotas.models import Level
from usage.rollups.models import Outcome
from usage.rollups.query import (
    Dimension,
    UsageQuery,
    preset_ranges,
)
from usage.statistics.columns import COLUMNS, DEFAULT
from usage.statistics.drill_down import CallsBehind
from usage.statistics.own import OwnQuestion
from usage.statistics.own_calls import Which
from usage.statistics.ranking import Order

RANKED = (Dimension.MEMBER, Dimension.TOKEN, Dimension.MODEL)


class OverviewFilter(UsageFilter):
    """The filters of the overview page, and the dimension of its ranking panel."""

    by = forms.ChoiceField(choices=[(one, one) for one in RANKED], required=False)

    @property
    def by_asked(self) -> Dimension:
        """The dimension of the ranking panel, from a valid form; members by default."""
        return Dimension(self.cleaned_data["by"] or Dimension.MEMBER)


class OwnFilter(RangeFilter):
    """The filters of the personal page: contexts, models and the user's own tokens.

    If a single context is selected, times are in its time zone. Otherwise they are in the time zone of the
    personal space, which is the first of `memberships`.
    """

    default_period = "30d"

    def __init__(
        self,
        data: QueryDict,
        *,
        user: User,
        memberships: Sequence[Membership],
        tokens: Sequence[Token],
        now: datetime,
    ) -> None:
        by_slug = {one.team.slug: one for one in memberships}
        asked = [by_slug[slug] for slug in dict.fromkeys(data.getlist("team")) if slug in by_slug]
        self.contexts = asked or list(memberships)
        self.clock = (self.contexts[0] if len(self.contexts) == 1 else memberships[0]).team
        super().__init__(data, zone=self.clock.zone, now=now)
        self._user, self._tokens = user, tokens
        self.fields["team"] = ManyField(
            lambda slugs: {slug: by_slug[slug].team_id for slug in slugs if slug in by_slug},
            gettext_lazy("You have no context “%s”."),
        )
        self.fields["token"] = ManyField(
            lambda _names: _own_token_ids(tokens), gettext_lazy("You have no token “%s”.")
        )

    def question(self) -> OwnQuestion:
        """Returns the queries of a valid form.

        A preset period follows each context's own calendar, so that its figures match the context's own pages.
        A custom range is the same time everywhere.
        """
        data = self.cleaned_data
        tokens = tuple(data["token"])
        preset = None if data["from"] else data["period"] or self.default_period
        parts = [
            self._query(
                one.team,
                preset_ranges(preset, self._now, one.team.zone) if preset else data["ranges"],
                members=(one.user_id,),
                tokens=tokens,
            )
            for one in self.contexts
        ]
        whole = self._query(self.clock, data["ranges"], tokens=tokens)
        return OwnQuestion(whole, self.contexts, parts, [self._way(part) for part in parts])

    def _way(self, part: UsageQuery) -> CallsBehind | None:
        """Returns the builder of drill-down links for one context.

        None if only tokens of other contexts are selected: then this context has no calls to show.
        """
        of_team = _own_token_ids(one for one in self._tokens if one.team_id == part.team.pk)
        chosen = [name for name, pk in of_team.items() if pk in part.tokens]
        if part.tokens and not chosen:
            return None
        return CallsBehind.of_query(part, member=self._user.public_id, tokens=chosen)


def _own_token_ids(tokens: Iterable[Token]) -> dict[str, int]:
    """Returns the ids of the tokens by public id, and 0 under NO_TOKEN.

    NO_TOKEN selects calls that a gateway reported for the user without a token, which is possible in any
    context.
    """
    return {one.public_id: one.pk for one in tokens} | {NO_TOKEN: 0}


class OwnCallsFilter(OwnFilter):
    """The filters of the page that breaks a number of the personal page down by context."""

    before = forms.ChoiceField(choices=[("1", "1")], required=False)
    unpriced = forms.ChoiceField(choices=[("yes", "yes")], required=False)
    ttft_from = forms.ChoiceField(choices=[("0", "0")], required=False)
    sort = forms.ChoiceField(choices=[(one, one) for one in ("latency", "tokens", "cost")], required=False)

    def __init__(self, data: QueryDict, **asked: Any) -> None:
        super().__init__(data, **asked)
        self.fields["at"] = InstantField(self.zone)
        self.fields["outcome"] = ManyField(outcomes_named, gettext_lazy("There is no outcome “%s”."))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if sum(bool(data.get(name)) for name in ("outcome", "unpriced", "ttft_from")) > 1:
            raise ValidationError(_("Filter by only one of: outcome, unpriced, time to first token."))
        if data.get("before") and data.get("compare") == "none":
            raise ValidationError({"before": _("There is no comparison, so there is no previous period.")})
        return data

    def which(self) -> Which:
        """Returns which calls are selected, from a valid form."""
        data = self.cleaned_data
        return Which(
            at=data["at"],
            is_before=bool(data["before"]),
            outcomes=tuple(Outcome(number) for number in data["outcome"]),
            is_unpriced=bool(data["unpriced"]),
            has_ttft=bool(data["ttft_from"]),
            sort=data["sort"],
        )


class RankingFilter(OverviewFilter):
    """The filters of the ranking page, and its order, search text and page number."""

    sort = forms.ChoiceField(choices=lambda: [(name, name) for name in COLUMNS], required=False)
    order = forms.ChoiceField(choices=[("asc", "asc"), ("desc", "desc")], required=False)
    q = forms.CharField(max_length=100, required=False, strip=True)
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)

    def order_asked(self) -> Order:
        """Returns the requested order of a valid form; by default sorted by calls."""
        data = self.cleaned_data
        column = COLUMNS[data["sort"] or DEFAULT]
        return Order(
            by=self.by_asked,
            sort=column.name,
            is_ascending=data["order"] == "asc" or (column.begins_ascending and data["order"] != "desc"),
            search=data["q"],
            page=data["page"] or 1,
        )


class RefusalFilter(UsageFilter):
    """The filters of the page of refusals: those of a usage page, the quota level, and the page number."""

    level = forms.ChoiceField(choices=[(one.name.lower(), one.label) for one in Level], required=False)
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)

    def __init__(self, data: QueryDict, *, access: Access, now: datetime) -> None:
        super().__init__(data, access=access, now=now)
        # Former members can be selected too, even if all their calls were refused.
        self.fields["member"] = self._members(access, people_refused)

    @property
    def level_asked(self) -> Level | None:
        """The selected quota level of a valid form; None for all levels."""
        name: str = self.cleaned_data["level"]
        return Level[name.upper()] if name else None


class ExportForm(forms.Form):
    """The file format of an export: `csv` or `json`."""

    format = forms.ChoiceField(choices=[("csv", "CSV"), ("json", "JSON")])
