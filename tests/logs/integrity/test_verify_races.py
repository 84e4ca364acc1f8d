"""verify_usage while calls come in: it proves one moment, and neither waits for reporters nor stops them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from tests.conftest import Cast

CALLS = 60


@pytest.mark.threads
@pytest.mark.django_db(transaction=True)
def test_what_is_recorded_meanwhile_is_no_difference(
    cast: Cast, token_of: Callable[..., tuple[Token, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    callers = [Caller(token=token_of(name)[0]) for name in ("member", "administrator")]

    def report(by: Caller) -> None:
        try:
            for number in range(CALLS):
                call = ReportedCall(
                    request_id=f"{by.token.pk}-{number}", started_at=now, model="m", cost_nanos=7
                )
                record_calls([call], by=by, now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        reporters = [pool.submit(report, by) for by in callers]
        while not all(reporter.done() for reporter in reporters):
            call_command("verify_usage")  # fails when a number differs
    for reporter in reporters:
        reporter.result()
    capsys.readouterr()
    call_command("verify_usage")
    assert capsys.readouterr().out == f"{len(callers) * CALLS} calls, no difference\n"
