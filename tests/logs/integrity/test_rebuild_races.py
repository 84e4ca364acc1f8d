"""Rebuilding while calls come in: nothing is lost and nothing is charged twice."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection

from logs.formats.reported import ReportedCall
from logs.integrity.recount import rebuild_owner
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level, QuotaUse

CALLS = 60


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_an_owners_balance_is_exact_when_it_is_rebuilt_while_calls_are_recorded(
    cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    now = datetime.now(UTC)
    token, _secret = token_of("member")
    space = cast.owner.owned_teams.get(is_personal=True)
    failures: list[BaseException] = []

    def report() -> None:
        try:
            for number in range(CALLS):
                call = ReportedCall(request_id=f"r{number}", started_at=now, model="m", cost_nanos=7)
                record_calls([call], by=Caller(token=token), now=now)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    reporter = threading.Thread(target=report)
    reporter.start()
    while reporter.is_alive():
        rebuild_owner(space)
    reporter.join()
    assert failures == []
    charged = QuotaUse.objects.get(team_id=space.pk, level=Level.OWNER)
    assert (charged.calls, charged.used_nanos) == (CALLS, 7 * CALLS)
