"""Lists the models that were called in the last 30 days on the whole site, and the sources of their prices."""

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
    """A price and its source in words: the site's own price, or an entry of the public price list.

    `since`: the day from which the price applies.
    """

    words: str
    since: date
    rates: Rates

    @property
    def per_million(self) -> list[tuple[str, str]]:
        """Pairs of (label, US dollars per million tokens), for the page.

        Input and output, then cached input and cache writes if their price differs from that of input.
        """
        rates = self.rates
        shown = [(_("input"), rates.input), (_("output"), rates.output)]
        shown += [(_("cached"), rates.cached)] if rates.cached != rates.input else []
        shown += [(_("cache writes"), rates.cache_write)] if rates.cache_write != rates.input else []
        return [(label, f"${usd.normalize():f}") for label, usd in shown]


@dataclass(frozen=True)
class ModelInUse:
    """A model and its live calls in the last 30 days: all, the unpriced ones, and those reported at $0."""

    name: str
    calls: int
    unpriced: int
    zero: ZeroSum | None
    latest: Call | None  # None if it is no longer stored
    source: PriceSource | None  # None: no price is known

    @property
    def provider(self) -> str:
        return self.latest.provider if self.latest else ""

    @property
    def response_model(self) -> str:
        """The model that answered the latest call, if its name differs; "" otherwise."""
        return stored_names(self.latest).response_model if self.latest else ""

    @property
    def latest_priced_by(self) -> str:
        return str(PricedBy(self.latest.priced_by).label) if self.latest else ""


def models_called(today: date) -> QuerySet[DayModel, Any]:
    """Returns each model with its live calls in the last 30 days, most called first.

    `n` is the number of calls, `without` the number of unpriced calls. Days are those of each team's time zone.
    """
    rows = _rows(today).values("model").annotate(n=Sum("calls"), without=Sum("unpriced"))
    return rows.order_by("-n", "model")


def models_in_use(rows: Sequence[dict[str, Any]], now: datetime) -> list[ModelInUse]:
    """Completes rows of `models_called` with the models' latest calls and prices.

    Executes one indexed query for each model, and four more.
    """
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
    """Returns the latest live call of each model, by model.

    To save time, only one team is searched for each model: one of those with calls on the model's latest day.
    """
    rows = _rows(today).filter(model__in=list(names)).values("model", "team_id").annotate(last=Max("day"))
    team_of = {row["model"]: row["team_id"] for row in rows.order_by("last", "team_id")}
    found = {}
    for name, team_id in team_of.items():
        calls = Call.objects.filter(team_id=team_id, model=name, mode=Mode.LIVE).order_by("-id")
        if call := calls.only("provider", "priced_by", "details", "model").first():
            found[name] = call
    return found


def _source(name: str, latest: Call | None, prices: PriceList, now: datetime) -> PriceSource | None:
    """Returns the price for the model's next call, supposing that it resembles the latest; None if unknown."""
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
