"""rebuild_usage: statistics and quota use written anew from the calls, byte for byte as recording wrote them."""

import random
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models import Mode
from teams.models.keys import Token
from tests.conftest import Cast
from usage.quotas.models import Level, QuotaUse
from usage.rollups.models import ROLLUPS, DayMember, DayModel, HourModel


@pytest.fixture
def calls(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """60 calls in six batches: two teams, two modes, three models, failures, unknown latencies."""
    rng, now = random.Random(5), timezone.now()
    tokens = [
        token_of("member")[0],
        token_of("owner", mode=Mode.TEST)[0],
        token_of("outsider", team=cast.other_team)[0],
    ]
    for batch in range(6):
        reported = [
            ReportedCall(
                request_id=f"r{batch}-{n}",
                started_at=now - timedelta(hours=rng.random() * 90),
                model=rng.choice(["gpt-4o-mini", "gpt-4o", "house-model"]),
                status=rng.choice([200, 200, 404, 429, 500]),
                input_tokens=rng.randrange(5000),
                output_tokens=rng.randrange(500),
                latency_ms=rng.choice([None, rng.randrange(5000)]),
            )
            for n in range(10)
        ]
        record_calls(reported, by=Caller(token=tokens[batch % 3]), now=now)


def snapshot() -> list[tuple[Any, ...]]:
    """Every stored number; sketches as bytes."""
    tables: list[type[Model]] = [*ROLLUPS, QuotaUse]
    rows = [
        (table.__name__, *(bytes(value) if isinstance(value, memoryview) else value for value in row))
        for table in tables
        for row in table._default_manager.values_list()
    ]
    return sorted(rows, key=str)


def rebuild(*arguments: str) -> str:
    out = StringIO()
    call_command("rebuild_usage", *arguments, stdout=out)
    return out.getvalue().strip()


def test_nothing_changes_where_all_is_well(calls: None) -> None:
    before = snapshot()
    assert rebuild() == "60 calls counted again"
    assert snapshot() == before


def test_whatever_was_changed_comes_back_as_it_was(calls: None) -> None:
    before = snapshot()
    DayModel.objects.update(calls=0, latency_sketch=b"")
    HourModel.objects.first().delete()
    row = DayMember.objects.first()
    row.member_id += 1000
    row.save(force_insert=True)
    QuotaUse.objects.filter(level=Level.OWNER).update(used_nanos=1)
    QuotaUse.objects.filter(level=Level.TOKEN).delete()
    assert snapshot() != before
    rebuild()
    assert snapshot() == before


def test_one_team_is_rebuilt_alone_with_the_balance_of_its_owner(cast: Cast, calls: None) -> None:
    before = snapshot()
    DayModel.objects.filter(team_id=cast.team.pk).delete()
    QuotaUse.objects.filter(level=Level.OWNER).update(calls=0)
    assert rebuild("--team", cast.team.slug) == "40 calls counted again"
    left = set(snapshot()) ^ set(before)
    assert {row[0] for row in left} == {"QuotaUse"}, "the other owner's balance is not of this team"
    rebuild()
    assert snapshot() == before


def test_an_unknown_team_is_an_error(db: None) -> None:
    with pytest.raises(CommandError, match="no team nowhere"):
        rebuild("--team", "nowhere")
