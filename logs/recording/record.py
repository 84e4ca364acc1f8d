"""Records reported calls in the database: the single entry point for every format and every sender.

Finds the caller and the price of each call. Then one transaction locks the teams, inserts the new calls, adds
them to the rollups, charges the quotas and settles reservations. When the sender has the answer, all statistics
include the calls. After a crash, calls, statistics and quotas are consistent.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from logs.formats.identity import OtherSpan
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.models import Call
from logs.recording.amend import amend_uncharged
from logs.recording.between import links_by_space
from logs.recording.callers import CallContext, Caller, Directory
from logs.recording.columns import AS_REPORTED, COLUMNS, outcome_of
from logs.recording.facts import LocalTimes
from logs.recording.identity import decide
from logs.recording.ids import call_id
from logs.recording.indexing import index_calls
from logs.recording.kept_calls import taken_since
from logs.recording.layers import Layer, Link
from logs.recording.pricing import price_reported
from logs.recording.stored_calls import Pricing
from logs.recording.zero_reports import ZeroCall, count_zero_reports
from teams.actions.locks import lock_teams
from teams.models import Team
from usage.prices.models import PricedBy
from usage.prices.price_list import Priced, PriceList
from usage.quotas.actions.reservations import (
    CallOf,
    Settlement,
    has_open_reservations,
    open_reservations_of,
    settle_reservations,
)
from usage.quotas.charging import Charge, charge_quotas
from usage.rollups.bulk import insert_new
from usage.rollups.folding import Fact, add_calls
from usage.rollups.models import Outcome


class Rejected(NamedTuple):
    """A record that was not stored, or a stored call whose reservation was not settled.

    `position` is its index in the batch, `error` the reason.
    """

    position: int
    request_id: str
    error: InvalidRecordError


@dataclass
class Recorded:
    """The result for a batch of calls: `accepted + duplicates + len(rejected)` is the number of its calls.

    `warnings` concern accepted calls whose `reservation` could not be settled. Such a call was made, so it is
    stored and charged; but the reservation belongs to somebody else or no longer exists.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    warnings: list[Rejected] = field(default_factory=list)


class NewCall(NamedTuple):
    """A call with its caller and price, ready to be stored.

    `position` is its index in the batch; -1 if it was reported in an earlier request.
    """

    position: int
    id: UUID
    call: ReportedCall
    context: CallContext
    outcome: Outcome
    priced: Priced


def record_calls(
    calls: Sequence[ReportedCall], *, by: Caller, now: datetime, between: Sequence[OtherSpan] = ()
) -> Recorded:
    """Stores the new calls that this key may report, adds them to statistics, and charges the quotas.

    `between` are spans that are not calls, from the same traces. When this returns, the whole batch is
    committed; when it raises (a database error), nothing is.
    """
    recorded = Recorded()
    prices = PriceList(call.model for call in calls)
    ready = _prepare(calls, by, prices, recorded)
    batches = _batches(ready, between, by)
    with transaction.atomic():
        teams = lock_teams(team_id for team_id, _mode in batches)
        payers = _personal_spaces(team.owner_id for team in teams.values())
        since = taken_since(((new.context.team_id, new.call.started_at) for new in ready), now)
        accepted: list[NewCall] = []
        charges: list[Charge] = []
        for (team_id, mode), batch in sorted(batches.items()):
            team = teams.get(team_id)
            if team is None or team.deleted_at:
                recorded.rejected += [_deleted(new) for new in batch.calls]
                continue
            known, forgotten = _parted(batch.calls, since.get(team_id))
            recorded.rejected += forgotten
            new, amended = _told_apart(team, mode, known, batch.links, _pricing(prices, calls), now)
            stored = _store(team, mode, new, by, now)
            recorded.duplicates += len(known) - sum(one.position >= 0 for one in stored)
            accepted += stored
            charges += amended + _charges(team, mode, stored, payers[team.owner_id])
        # Charges all teams in one step, as late as possible. Batches of several teams may charge the same
        # payer: its rows must always be locked in the same order, and for a short time.
        charge_quotas(charges)
        recorded.warnings = _settle(accepted, now)
    recorded.accepted = sum(new.position >= 0 for new in accepted)
    recorded.rejected.sort(key=lambda rejected: rejected.position)
    return recorded


class _Batch(NamedTuple):
    """The calls of one team and mode in a batch, and the spans of their traces that are not calls."""

    calls: list[NewCall]
    links: list[Link]


def _batches(
    ready: Sequence[NewCall], between: Sequence[OtherSpan], by: Caller
) -> dict[tuple[int, int], _Batch]:
    batches: defaultdict[tuple[int, int], _Batch] = defaultdict(lambda: _Batch([], []))
    for new in ready:
        batches[new.context.team_id, new.context.mode].calls.append(new)
    traces = ((space, new.call.identity) for space, batch in batches.items() for new in batch.calls)
    of_calls = [(space, identity.trace_id) for space, identity in traces if identity]
    for space, links in links_by_space(between, of_calls, by).items():
        batches[space].links.extend(links)
    return batches


def _prepare(calls: Sequence[ReportedCall], by: Caller, prices: PriceList, recorded: Recorded) -> list[NewCall]:
    """Determines caller, outcome and price of each call; adds calls without a valid caller to `recorded`."""
    directory = Directory(by, calls)
    ready = []
    for index, call in enumerate(calls):
        try:
            context = directory.context(call)
        except InvalidRecordError as error:
            recorded.rejected.append(Rejected(index, call.request_id, error))
            continue
        outcome = outcome_of(call)
        ready.append(
            NewCall(
                index, call_id(call.started_at), call, context, outcome, price_reported(call, outcome, prices)
            )
        )
    return ready


def _pricing(prices: PriceList, batch: Sequence[ReportedCall]) -> Pricing:
    """Returns a function that prices calls by the batch's price list.

    Prices of models that do not occur in the batch are read when they are needed.
    """
    listed = {call.model for call in batch}

    def price(calls: Sequence[ReportedCall]) -> list[Priced]:
        others = {call.model for call in calls} - listed
        more = PriceList(others) if others else prices
        return [
            price_reported(call, outcome_of(call), more if call.model in others else prices) for call in calls
        ]

    return price


def _told_apart(
    team: Team, mode: int, batch: list[NewCall], links: list[Link], price: Pricing, now: datetime
) -> tuple[list[NewCall], list[Charge]]:
    """Returns the calls of a batch that may be new, and the quota charges of stored calls that it changed.

    Calls in Callboard's own format are returned as they are: their request id tells whether they are new.
    Reports in foreign formats are compared with earlier reports; stored calls are amended.
    """
    layers = [
        Layer(new.call, new.call.identity, new.context, now, position=new.position)
        for new in batch
        if new.call.identity is not None
    ]
    own = [new for new in batch if new.call.identity is None]
    if not layers and not links:
        return own, []
    decided = decide(team=team, mode=mode, layers=layers, links=links, price=price, now=now)
    priced = price([call for call, _layer in decided.new])
    new = [
        NewCall(layer.position, id_, call, layer.context, outcome_of(call), cost)
        for (call, layer), cost in zip(decided.new, priced, strict=True)
        if (id_ := layer.call_id) is not None
    ]
    charges = amend_uncharged(team=team, mode=mode, amendments=decided.amendments, now=now)
    return [*own, *new], charges


def _personal_spaces(owner_ids: Iterable[int]) -> dict[int, Team]:
    """Returns the personal space of each of these owners, by user id.

    Calls of a team are charged to its owner's balance, by the days of the personal space's time zone.
    """
    return {team.owner_id: team for team in Team.objects.filter(owner__in=set(owner_ids), is_personal=True)}


def _deleted(new: NewCall) -> Rejected:
    error = InvalidRecordError("token", "This team was deleted.", "invalid_token")
    return Rejected(new.position, new.call.request_id, error)


def _parted(batch: list[NewCall], since: datetime | None) -> tuple[list[NewCall], list[Rejected]]:
    """Separates calls that can be recorded from those that started before `since`, which are rejected.

    Calls from before `since` were deleted, so it cannot be checked whether such a call was recorded before.
    `since` None: nothing was deleted.
    """
    if since is None:
        return batch, []
    message = _(
        "started_at must not be before %s: older calls were deleted, so it cannot be checked whether this "
        "one was already counted."
    )
    error = InvalidRecordError("started_at", message % f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    forgotten = [new for new in batch if new.call.started_at < since]
    known = [new for new in batch if new.call.started_at >= since]
    return known, [Rejected(new.position, new.call.request_id, error) for new in forgotten]


def _store(team: Team, mode: int, batch: list[NewCall], by: Caller, now: datetime) -> list[NewCall]:
    """Inserts calls of one team, adds the new ones to tags, routes and rollups, and returns the new ones."""
    rows = [_row(new, team, by, now) for new in batch]
    stored = insert_new(Call, COLUMNS, rows, returning="id")
    # SQLite stores ids as text and returns them so.
    accepted = [new for new in batch if new.id in stored or new.id.hex in stored]
    index_calls(team_id=team.pk, mode=mode, calls=[(new.id, new.call) for new in accepted])
    local = LocalTimes(team.zone)
    add_calls(team_id=team.pk, mode=mode, facts=[_fact(new, local) for new in accepted])
    zero = (
        ZeroCall(local(new.call.started_at)[1], new.call.model, new.priced.worth_nanos)
        for new in accepted
        if new.priced.worth_nanos
    )
    count_zero_reports(team_id=team.pk, mode=mode, calls=zero)
    return accepted


def _charges(team: Team, mode: int, accepted: list[NewCall], payer: Team) -> list[Charge]:
    """Returns the quota charges of new calls; days are those of the team's and of the payer's time zone."""
    local, payer_local = LocalTimes(team.zone), LocalTimes(payer.zone)
    return [
        Charge(
            team_id=team.pk,
            mode=mode,
            member_id=new.context.member_id,
            token_id=new.context.token_id,
            payer_team_id=payer.pk,
            day=local(new.call.started_at)[1],
            payer_day=payer_local(new.call.started_at)[1],
            cost_nanos=new.priced.cost_nanos,
        )
        for new in accepted
    ]


def _settle(accepted: list[NewCall], now: datetime) -> list[Rejected]:
    """Settles the reservations that belong to the calls.

    Returns a warning for each call that names a reservation which could not be settled.
    """
    named = [(new, new.call.reservation) for new in accepted if new.call.reservation]
    settling = named + _made_for(accepted, now)
    settlements = [
        Settlement(
            reservation_id=id_,
            team_id=new.context.team_id,
            mode=new.context.mode,
            member_id=new.context.member_id,
            cost_nanos=new.priced.cost_nanos,
        )
        for new, id_ in settling
    ]
    problems = settle_reservations(settlements, now) if settlements else {}
    return [
        Rejected(
            new.position, new.call.request_id, InvalidRecordError("reservation", problems[at], "not_found")
        )
        for at, (new, _id) in enumerate(named)
        if at in problems
    ]


def _made_for(accepted: list[NewCall], now: datetime) -> list[tuple[NewCall, str]]:
    """Returns successful calls that name no reservation, each with the open reservation of the same request id.

    Most teams have no open reservation. That is checked first, because it costs much less than looking up every
    call.
    """
    if not has_open_reservations({new.context.team_id for new in accepted}, now):
        return []
    calls = {_call_of(new): new for new in reversed(accepted) if not (new.call.reservation or new.call.failed)}
    return [(calls[call], id_) for call, id_ in open_reservations_of(calls, now).items()]


def _call_of(new: NewCall) -> CallOf:
    """Returns the key by which a reservation for this call is found.

    For LiteLLM's reports the request id is LiteLLM's call id, which the client may have chosen before the call.
    """
    identity = new.call.identity
    request_id = identity.litellm_id if identity and identity.litellm_id else new.call.request_id
    return CallOf(new.context.team_id, new.context.mode, new.context.member_id, request_id)


def _fact(new: NewCall, local: LocalTimes) -> Fact:
    call = new.call
    hour, day = local(call.started_at)
    return Fact(
        hour=hour,
        day=day,
        member_id=new.context.member_id,
        token_id=new.context.token_id,
        model=call.model,
        outcome=new.outcome.value,
        unpriced=int(new.priced.by is PricedBy.NOTHING),
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        cached_tokens=call.cached_tokens,
        cache_write_tokens=call.cache_write_tokens,
        reasoning_tokens=call.reasoning_tokens,
        cost_nanos=new.priced.cost_nanos,
        latency_ms=-1 if call.latency_ms is None else call.latency_ms,
        ttft_ms=-1 if call.ttft_ms is None else call.ttft_ms,
    )


def _row(new: NewCall, team: Team, by: Caller, now: datetime) -> tuple[object, ...]:
    return (
        team.pk,
        new.id,
        new.context.mode,
        now,
        new.context.member_id,
        new.context.token_id,
        by.gateway_key_id,
        team.owner_id,
        new.outcome.value,
        new.priced.cost_nanos,
        new.priced.by.value,
        *(getattr(new.call, name) for name in AS_REPORTED),
    )
