"""What is known of keys is kept for eight days, and goes with the team."""

from collections.abc import Callable
from datetime import timedelta

from teams.actions.gateway_keys import create_gateway_key
from teams.actions.teams import delete_team, purge_teams
from teams.activity import SITE, Actor
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import NOW
from usage.housekeeping import run_housekeeping
from usage.reporting.counting import Reason, Report, count_report
from usage.reporting.models import KeyAlert, KeyHour, KeyRejection

REPORT = Report(accepted=1, rejected=1, reasons=[Reason("invalid_request", "No.", records=1)])


def test_hours_and_reasons_of_eight_days_are_kept(token_of: Callable[..., tuple[Token, str]]) -> None:
    token = token_of("member")[0]
    for days in (9, 8.1, 7.9, 0):
        count_report(token, REPORT, NOW - timedelta(days=days))
    done = run_housekeeping(now=NOW)
    assert (done["hours of keys deleted"], done["rejections of keys deleted"]) == (2, 2)
    assert (KeyHour.objects.count(), KeyRejection.objects.count()) == (2, 2)


def test_a_purged_team_takes_them_along_and_others_stay(
    cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    site_key = create_gateway_key(by=SITE, team=None, name="site")[0]
    for key in (token_of("member")[0], create_gateway_key(by=SITE, team=cast.team, name="x")[0], site_key):
        count_report(key, REPORT, NOW)
        KeyAlert.objects.create(
            key_kind=0, key_id=KeyAlert.objects.count(), team_id=key.team_id or 0, worked_at=NOW, sent_at=NOW
        )
    delete_team(by=Actor(cast.owner), team=cast.team, typed_name=cast.team.name, now=NOW)
    purge_teams(now=NOW + timedelta(days=31))
    for table in (KeyHour, KeyRejection, KeyAlert):
        assert [row.team_id for row in table.objects.all()] == [0]
