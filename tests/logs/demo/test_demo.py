"""`manage.py demo`: loaded once, into its own database only."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from logs.demo.load import PASSWORD, SIGN_INS, load_demo, loaded_at
from logs.models import Call
from teams.actions.users import create_user
from teams.models import Activity, Membership, Mode, Role, Token, User
from usage.quotas.models import Quota

NOW = datetime(2025, 11, 20, 15, 40, tzinfo=UTC)


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The command loads a week at a fiftieth of the calls, so that a test takes a second."""
    calls = []

    def load_little(*, now: datetime) -> int:
        calls.append(now)
        return load_demo(now=now, days=7, scale=0.02)

    monkeypatch.setattr("logs.management.commands.demo.load_demo", load_little)
    return calls


@pytest.mark.django_db
def test_all_calls_are_stored_and_the_team_is_complete() -> None:
    assert load_demo(now=NOW, days=7, scale=0.02) == Call.objects.count() > 100
    members = Membership.objects.filter(team__slug="harbour-research")
    assert members.count() == 40
    assert [members.get(user__email=email).role for email in SIGN_INS.values()] == [
        Role.OWNER,
        Role.ADMINISTRATOR,
        Role.MEMBER,
    ]
    assert Call.objects.filter(mode=Mode.TEST).exists()
    assert loaded_at() == NOW


@pytest.mark.django_db
def test_the_former_member_keeps_calls_but_no_token_that_works() -> None:
    load_demo(now=NOW, days=30, scale=0.02)
    former = User.objects.get(email="viktor.sandoval@example.org")
    assert not Membership.objects.filter(user=former, team__is_personal=False).exists()
    theirs = Token.objects.filter(user=former, team__slug="harbour-research")
    assert {token.state(NOW) for token in theirs} == {"revoked"}
    assert Call.objects.filter(member_id=former.pk, token_id__in=theirs.values("pk")).exists()


@pytest.mark.django_db
def test_somebody_has_a_quota_on_every_level() -> None:
    load_demo(now=NOW, days=7, scale=0.02)
    quotas = Quota.objects.select_related("team")
    assert {quota.level.name for quota in quotas} == {"TOKEN", "MEMBER", "TEAM"}
    assert quotas.filter(team__is_personal=True).count() == 1


@pytest.mark.django_db
def test_the_printed_passwords_are_right(small_demo: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo")
    printed = capsys.readouterr().out
    for email in SIGN_INS.values():
        assert f"{email} " in printed
        assert User.objects.get(email=email).check_password(PASSWORD)
    assert "http://localhost:8000/" in printed


@pytest.mark.django_db
def test_a_second_run_reuses_everything(small_demo: list[Any]) -> None:
    call_command("demo")
    call_command("demo")
    assert len(small_demo) == 1


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_load_is_started_over(small_demo: list[Any]) -> None:
    load_demo(now=NOW, days=7, scale=0.02)
    Activity.objects.filter(kind="demo.loaded").delete()
    call_command("demo")
    assert Membership.objects.filter(team__slug="harbour-research").count() == 40
    assert len(small_demo) == 1


@pytest.mark.django_db(transaction=True)
def test_reset_starts_over(small_demo: list[Any]) -> None:
    call_command("demo")
    call_command("demo", "--reset")
    assert len(small_demo) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [[], ["--reset"]])
def test_a_database_in_use_is_refused_and_left_alone(
    small_demo: list[Any], arguments: list[Any] | list[str]
) -> None:
    create_user(email="somebody@company.example")
    with pytest.raises(CommandError, match=r"somebody@company\.example"):
        call_command("demo", *arguments)
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_completed_demo_stays_usable_when_people_joined_it(small_demo: list[Any]) -> None:
    call_command("demo")
    create_user(email="somebody@company.example")
    call_command("demo")
    assert len(small_demo) == 1
