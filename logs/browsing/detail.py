"""Collects the data of one call's page: how its cost was computed, which quotas it was charged to, and links to
similar calls.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from logs.browsing.names import NamedCall, named
from logs.formats.statuses import CLIENT_DISCONNECTED
from logs.models import Call
from logs.recording.pricing import stored_names, stored_tokens
from teams.access import Access
from teams.models import Mode, Team, User
from usage.prices.models import PricedBy
from usage.prices.price_list import PriceList
from usage.prices.rates import Kind, Rates, Tokens
from usage.quotas.models import Level, Quota
from usage.rollups.models import Outcome


@dataclass(frozen=True)
class PriceLine:
    """A line of the cost calculation: a number of tokens and their price in US dollars per million tokens."""

    label: str
    tokens: int
    usd: Decimal

    @property
    def rate(self) -> str:
        """The price as text, such as `$0.15/M`."""
        return f"${self.usd.normalize():f}/M"


@dataclass(frozen=True)
class PriceShown:
    """How the cost of a call was computed, and where its price came from.

    `lines` is empty if the cost was not computed from prices, or if the prices of that time no longer result in
    it.
    """

    lines: list[PriceLine]
    formula: str
    source: str
    call_usd: Decimal = Decimal(0)  # the price of the call itself, however many tokens it has


@dataclass(frozen=True)
class QuotaShown:
    """A quota level (token, member, team or owner) that the call was charged to, and its present quota; None:
    no limit.
    """

    label: str
    quota: Quota | None


@dataclass(frozen=True)
class Alike:
    """A link to similar calls: its label, and the query string that finds them."""

    label: str
    query: str


@dataclass(frozen=True)
class CallDetail:
    """A call and everything that its page shows."""

    named: NamedCall
    price: PriceShown
    levels: list[QuotaShown]
    alike: list[Alike]

    @property
    def call(self) -> Call:
        return self.named.call

    @property
    def outcome(self) -> str:
        """The outcome in words, such as "Succeeded"."""
        if self.call.status == CLIENT_DISCONNECTED:
            return _("Client disconnected")
        return str(Outcome(self.call.outcome).label)

    @property
    def metadata(self) -> str:
        """The call's metadata as indented JSON; "" for none."""
        return json.dumps(self.call.metadata, indent=2, ensure_ascii=False) if self.call.metadata else ""

    @property
    def after_first_token(self) -> int | None:
        """The time from the first token to the end in ms; None if either time is unknown."""
        call = self.call
        if call.ttft_ms is None or call.latency_ms is None:
            return None
        return max(0, call.latency_ms - call.ttft_ms)


def detail_of(call: Call, access: Access) -> CallDetail:
    """Returns the details of a call, as far as this user may see them."""
    who = named([call])[0]
    return CallDetail(who, price_of(call), _levels(who, access), _alike(who, access))


def price_of(call: Call) -> PriceShown:
    """Returns how the cost was computed from the prices of that time, if these still result in the charged
    cost; otherwise only where the price came from.
    """
    source = PricedBy(call.priced_by)
    if source not in {PricedBy.SITE, PricedBy.LIST}:
        return PriceShown([], "", str(source.label))
    tokens = stored_tokens(call)
    priced = PriceList([call.model]).price(stored_names(call), call.started_at, tokens)
    if priced.rates is None or priced.cost_nanos != call.cost_nanos:
        return PriceShown([], "", str(source.label))
    lines, call_usd = _lines(tokens, priced.rates), priced.rates.thousand_calls / 1000
    parts = [f"({line.tokens:,} × {line.rate})" for line in lines]
    parts += [f"${call_usd.normalize():f}"] if call_usd else []
    return PriceShown(lines, " + ".join(parts), str(source.label), call_usd)


# Written out so that each label can be translated; in the order of `Rates.parts`.
_KINDS: dict[Kind, object] = {
    "input": gettext_lazy("Input"),
    "input_audio": gettext_lazy("Audio input"),
    "cached": gettext_lazy("Cached input"),
    "cache_write": gettext_lazy("Cache writes"),
    "cache_write_1h": gettext_lazy("Cache writes for an hour"),
    "output": gettext_lazy("Output"),
    "output_audio": gettext_lazy("Audio output"),
    "reasoning": gettext_lazy("Reasoning"),
}


def _lines(tokens: Tokens, rates: Rates) -> list[PriceLine]:
    return [PriceLine(str(_KINDS[part.kind]), part.tokens, part.usd) for part in rates.parts(tokens)]


def _levels(who: NamedCall, access: Access) -> list[QuotaShown]:
    """Returns the quota levels that the call was charged to when it was recorded (`usage.quotas.charging`),
    with their present quotas.
    """
    team, quotas = access.team, _quotas(who.call, access.team)
    token, member, whole, balance = (quotas.get(level) for level in Level)
    levels = [QuotaShown(_("Token %s") % who.token.name, token)] if who.token else []
    levels.append(QuotaShown(str(Level.MEMBER.label), member))
    if not team.is_personal:
        levels.append(QuotaShown(str(Level.TEAM.label), whole))
    return [*levels, QuotaShown(_("Owner's balance"), balance)]


def _quotas(call: Call, team: Team) -> dict[Level, Quota]:
    """Returns the present quotas of the call by level, in one query. The owner's balance is the quota of their
    personal space.
    """
    whole = Q(membership=None, token=None)
    of_caller = Q(token=call.token_id) | Q(membership__user=call.member_id) | whole
    of_payer = Q(team__owner=call.payer_id, team__is_personal=True)
    found: dict[Level, Quota] = {}
    for quota in Quota.objects.filter(Q(of_caller, team=team) | whole & of_payer).select_related("team"):
        if quota.token_id or quota.membership_id:
            found[Level.TOKEN if quota.token_id else Level.MEMBER] = quota
        else:
            found[Level.OWNER if quota.team.is_personal else Level.TEAM] = quota
    return found


def _alike(who: NamedCall, access: Access) -> list[Alike]:
    """Returns links to calls that share something with this one, from half an hour or 15 days before to as long
    after it.
    """
    call = who.call
    mode = {"mode": "test"} if call.mode == Mode.TEST else {}
    hour = _around(call, timedelta(minutes=30), access.team)
    month = _around(call, timedelta(days=15), access.team)
    outcome = Outcome(call.outcome)
    found = [
        (
            _("Same model and outcome, within half an hour"),
            {**hour, "model": call.model, "outcome": outcome.word},
        )
    ]
    if who.member is not None:
        found.append((_("Same member, within half an hour"), {**hour, **_member(who.member, access)}))
    if call.session_id:
        found.append((_("Same session"), {**month, "session": call.session_id}))
    if call.error_type:
        found.append((_("Same error, 15 days before or after"), {**month, "error_type": call.error_type}))
    if call.ip:
        found.append((_("Same IP address, 15 days before or after"), {**month, "ip": call.ip}))
    return [Alike(label, "?" + urlencode({**asked, **mode})) for label, asked in found]


def _member(member: User, access: Access) -> dict[str, str]:
    return {"member": member.public_id} if access.sees_team else {}


def _around(call: Call, reach: timedelta, team: Team) -> dict[str, str]:
    start, end = (
        (call.started_at - reach).astimezone(team.zone),
        (call.started_at + reach).astimezone(team.zone),
    )
    return {"from": start.isoformat(timespec="minutes"), "to": end.isoformat(timespec="minutes")}
