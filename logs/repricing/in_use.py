"""The models that were called lately on the whole site, and where their prices come from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max, QuerySet, Sum
from django.utils.translation import gettext as _

from logs.models import Call
from logs.recording.pricing import stored_names
from teams.models import Mode, Team
from usage.prices.models import PricedBy
from usage.prices.price_list import PriceList, site_rates
from usage.prices.public_list import ModelNames, list_date, list_entry, list_rates, list_version
from usage.prices.rates import Rates
from usage.prices.zero_reports import ZeroSum, first_day, zero_reports_in
from usage.rollups.models import DayModel


@dataclass(frozen=True)
class PriceSource:
    """A price and its source: the site, or an entry of the public list. `since`: from when it applies."""

    words: str
    since: date
    rates: Rates

    @property
    def per_million(self) -> list[tuple[str, str]]:
        """Dollars per million tokens, in the order of reading: input, output, cached input, cache writes."""
        rates = self.rates
        shown = [(_("input"), rates.input), (_("output"), rates.output)]
        shown += [(_("cached"), rates.cached)] if rates.cached != rates.input else []
        shown += [(_("cache writes"), rates.cache_write)] if rates.cache_write != rates.input else []
        return [(label, f"${usd.normalize():f}") for label, usd in shown]


@dataclass(frozen=True)
class ModelInUse:
    """A model and its live calls of the last 30 days: how many, how many unpriced, how many reported at $0."""

    name: str
    calls: int
    unpriced: int
    zero: ZeroSum | None
    latest: Call | None  # None if it is no longer kept
    source: PriceSource | None  # None: nobody knows a price

    @property
    def provider(self) -> str:
        return self.latest.provider if self.latest else ""

    @property
    def response_model(self) -> str:
        """The model that answered the latest call, where it has another name."""
        return stored_names(self.latest).response_model if self.latest else ""

    @property
    def latest_priced_by(self) -> str:
        return str(PricedBy(self.latest.priced_by).label) if self.latest else ""


def models_called(today: date) -> QuerySet[DayModel, Any]:
    """Each model with its calls and unpriced calls, most called first; days are each team's own."""
    rows = _rows(today).values("model").annotate(n=Sum("calls"), without=Sum("unpriced"))
    return rows.order_by("-n", "model")


def models_in_use(rows: Sequence[dict[str, Any]], now: datetime) -> list[ModelInUse]:
    """The rows of `models_called` with their prices. One indexed query for each model, and four more."""
    names = [row["model"] for row in rows]
    today = now.date()
    zero = zero_reports_in(models=names, mode=Mode.LIVE, today=today)
    prices, latest = PriceList(names), _latest(names, today)
    return [
        ModelInUse(
            name=name,
            calls=row["n"],
            unpriced=row["without"],
            zero=zero.get(name),
            latest=latest.get(name),
            source=_source(name, latest.get(name), prices, now),
        )
        for name, row in zip(names, rows, strict=True)
    ]


def _rows(today: date) -> QuerySet[DayModel]:
    alive = Team.objects.alive().values("pk")
    return DayModel.objects.filter(team_id__in=alive, mode=Mode.LIVE, day__gte=first_day(today))


def _latest(names: Iterable[str], today: date) -> dict[str, Call]:
    """The latest call of each model, from a team that called it on the last day."""
    rows = _rows(today).filter(model__in=list(names)).values("model", "team_id").annotate(last=Max("day"))
    team_of = {row["model"]: row["team_id"] for row in rows.order_by("last", "team_id")}
    found = {}
    for name, team_id in team_of.items():
        calls = Call.objects.filter(team_id=team_id, model=name, mode=Mode.LIVE).order_by("-id")
        if call := calls.only("provider", "priced_by", "details", "model").first():
            found[name] = call
    return found


def _source(name: str, latest: Call | None, prices: PriceList, now: datetime) -> PriceSource | None:
    """The price that the next call like the latest one would get."""
    if own := prices.site_price(name, now):
        return PriceSource(_("the site's price"), own.valid_from.date(), site_rates(own))
    names = stored_names(latest) if latest else ModelNames(name)
    entry, rates = list_entry(names), list_rates(names, now, input_tokens=0)
    if entry is None or rates is None:
        return None
    words = _("%(entry)s in %(list)s") % {
        "entry": f"{entry.vendor}/{entry.model.id}",
        "list": list_version(),
    }
    return PriceSource(words, list_date(now.date()), rates)
