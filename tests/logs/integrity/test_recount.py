"""Whatever is reported, in whatever order: statistics and quota use are what a recount of the calls finds."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.actions.tokens import create_token
from teams.activity import SITE
from teams.models import Mode, Team
from tests.conftest import Cast
from tests.logs.integrity.test_rebuild_usage import rebuild, snapshot

# Daylight saving ends in Berlin and New York here, and begins, by half an hour, on Lord Howe.
FIRST = datetime(2026, 9, 28, tzinfo=UTC)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "UTC"]

seconds = st.integers(0, 42 * 24 * 3600) | st.sampled_from([0, 3600, 86_399, 86_400, 2_339_999, 2_340_000])
unknown_or = st.none() | st.integers(0, 40) | st.integers(0, 7 * 24 * 3600 * 1000)
calls = st.builds(
    ReportedCall,
    request_id=st.integers(0, 12).map(str),  # so few that many are duplicates
    started_at=seconds.map(lambda after: FIRST + timedelta(seconds=after)),
    model=st.sampled_from(["gpt-4o-mini", "claude-sonnet-4-5", "house-model", "a\nb", "ß"]),
    status=st.sampled_from([200, 200, 400, 429, 500]),
    has_error=st.booleans(),
    input_tokens=st.integers(0, 10**9),
    output_tokens=st.integers(0, 10**9),
    cost_nanos=st.none() | st.integers(0, 10**13),
    latency_ms=unknown_or,
    ttft_ms=unknown_or,
)
# Who reports: a number into the fixture's callers; a gateway key names the token of each call by number.
batches = st.tuples(st.integers(0, 5), st.lists(st.tuples(calls, st.integers(0, 3)), max_size=8))


@pytest.fixture
def callers(cast: Cast) -> list[Any]:
    """Four tokens of two people in two teams and two modes, then a key of a team and one of the site."""
    tokens = [
        create_token(by=SITE, team=team, user=user, name="t", mode=mode)[0]
        for team, user in ((cast.team, cast.member), (cast.other_team, cast.outsider))
        for mode in Mode
    ]
    keys = [create_gateway_key(by=SITE, team=team, name="proxy")[0] for team in (cast.team, None)]
    return [*(Caller(token=token) for token in tokens), *(Caller(gateway_key=key) for key in keys)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(zones=st.tuples(*[st.sampled_from(ZONES)] * 3), reported=st.lists(batches, max_size=6))
def test_after_any_batches_nothing_differs_and_a_rebuild_changes_nothing(
    cast: Cast, callers: list[Any], zones: Any, reported: Any
) -> None:
    with transaction.atomic():
        spaces = Team.objects.filter(is_personal=True, owner=cast.owner)
        for teams, zone in zip((cast.team, cast.other_team, spaces.get()), zones, strict=True):
            Team.objects.filter(pk=teams.pk).update(time_zone=zone)
        accepted = sum(_record(callers, who, batch) for who, batch in reported)
        assert Call.objects.count() == accepted
        out = StringIO()
        call_command("verify_usage", stdout=out)
        assert out.getvalue() == f"{accepted} calls, no difference\n"
        before = snapshot()
        rebuild()
        assert snapshot() == before
        transaction.set_rollback(True)


def _record(callers: list[Caller], who: int, batch: list[tuple[ReportedCall, int]]) -> int:
    """Reports a batch; how many calls were new. All that is sent is accounted for."""
    by = callers[who]
    for call, token in batch:
        call.token = callers[token].token.public_id if by.gateway_key else ""
    result = record_calls([call for call, _token in batch], by=by, now=FIRST)
    assert result.accepted + result.duplicates + len(result.rejected) == len(batch)
    return result.accepted
