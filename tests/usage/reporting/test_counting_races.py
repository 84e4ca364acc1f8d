"""Many requests of one key at once: each is counted, and nobody gets stuck."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from teams.models.keys import Token
from tests.usage.conftest import NOW
from usage.reporting.counting import Reason, Report, count_report
from usage.reporting.figures import Counts, key_report
from usage.reporting.models import KeyRejection

pytestmark = [pytest.mark.threads, pytest.mark.django_db(transaction=True)]
REPORT = Report(accepted=1, rejected=2, reasons=[Reason("a", "A.", records=1), Reason("b", "B.", records=1)])


def test_all_are_counted_and_the_latest_reasons_kept(token_of: Callable[..., tuple[Token, str]]) -> None:
    token = token_of("member")[0]
    barrier = threading.Barrier(6)

    def report_some() -> None:
        barrier.wait()
        try:
            for _n in range(20):
                count_report(token, REPORT, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(report_some) for _thread in range(6)]:
            future.result(timeout=60)
    found = key_report(token, NOW + timedelta(minutes=1))
    assert found.day == Counts(accepted=120, rejected=240)
    assert len(found.reasons) == KeyRejection.objects.count() == 20


def test_a_count_is_committed_by_itself_and_other_commits_wait_for_the_disk_as_before(
    token_of: Callable[..., tuple[Token, str]],
) -> None:
    token = token_of("member")[0]
    setting = "SHOW synchronous_commit" if connection.vendor == "postgresql" else "PRAGMA synchronous"

    def how() -> object:
        with connection.cursor() as cursor:
            cursor.execute(setting)
            return cursor.fetchone()[0]

    before = how()
    count_report(token, REPORT, NOW)
    assert how() == before
    with transaction.atomic():
        assert how() == before
    assert key_report(token, NOW).day.accepted == 1
