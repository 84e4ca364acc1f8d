"""The activity page and its export."""

import csv
from collections.abc import Callable
from io import StringIO

import pytest
from django.test import Client

from teams.actions.members import change_role, remove_member
from teams.actions.tokens import create_token
from teams.activity import SITE, Actor, record_activity
from teams.models import Activity, Role
from teams.pages import activity as activity_pages
from tests.conftest import Cast
from tests.teams.conftest import ADDRESS, NOW


@pytest.fixture
def life(cast: Cast) -> None:
    """A promotion, a removal and a token, from a known address."""
    by = Actor(cast.owner, ADDRESS)
    change_role(by=by, team=cast.team, user=cast.member, role=Role.ADMINISTRATOR, now=NOW)
    create_token(by=SITE, team=cast.team, user=cast.member, name="laptop")
    remove_member(by=by, team=cast.team, user=cast.member, now=NOW)


def test_it_tells_who_did_what_before_and_after_and_from_where(page: Callable[..., str], life: None) -> None:
    text = page("administrator", "activity/")
    assert "Olivia changed the role of Mia" in text
    assert "role: member → administrator" in text
    assert "Olivia removed Mia" in text
    assert ADDRESS in text


def test_what_people_did_stays_when_they_leave(page: Callable[..., str], life: None) -> None:
    assert "The site created the token laptop of Mia" in page("owner", "activity/")


def test_filters_by_person_kind_and_day(cast: Cast, page: Callable[..., str], life: None) -> None:
    text = page("owner", "activity/", kind="token")
    assert "created the token" in text
    assert "removed Mia" not in text
    assert "removed Mia" not in page("owner", "activity/", person=cast.administrator.public_id)
    assert "removed Mia" in page("owner", "activity/", person=cast.member.public_id)
    assert "No activity matches" in page("owner", "activity/", end="2020-01-01")
    assert "removed Mia" in page("owner", "activity/", start="2020-01-01", end="9999-12-31")


@pytest.mark.parametrize(
    "query",
    [
        {"start": "yesterday"},
        {"start": "2026-02-02", "end": "2026-02-01"},
        {"person": "usr_unknown"},
        {"kind": "magic"},
        {"before": "-1"},
        {"before": "99999999999999999999"},
    ],
)
def test_a_bad_filter_shows_its_error_in_page_and_export(
    page: Callable[..., str], query: dict[str, str]
) -> None:
    assert "Please correct the error below" in page("owner", "activity/", **query)
    assert "Please correct the error below" in page("owner", "activity/export/", **query)


def test_older_rows_are_a_page_away(
    cast: Cast, page: Callable[..., str], monkeypatch: pytest.MonkeyPatch, life: None
) -> None:
    monkeypatch.setattr(activity_pages, "PAGE", 2)
    newest = page("owner", "activity/")
    assert "removed Mia" in newest
    assert "changed the role" not in newest
    oldest_shown = Activity.objects.filter(team=cast.team).order_by("-pk")[1].pk
    assert "changed the role" in page("owner", "activity/", before=oldest_shown)


def test_the_export_holds_the_filtered_rows(client_of: Callable[..., Client], life: None) -> None:
    response = client_of("owner").get("/t/harbour-research/activity/export/", {"kind": "member"})
    rows = list(csv.DictReader(StringIO(response.getvalue().decode())))
    assert response["Content-Disposition"] == 'attachment; filename="activity-harbour-research.csv"'
    assert rows[0]["kind"] == "member.removed"
    assert rows[0]["actor"] == "olivia@example.org"
    assert rows[0]["address"] == ADDRESS
    assert all(row["kind"].startswith("member.") for row in rows)


@pytest.mark.parametrize("sign", ["=", "\n", "＝"])
def test_a_name_cannot_be_a_formula_in_the_export(
    cast: Cast, client_of: Callable[..., Client], sign: str
) -> None:
    record_activity(by=SITE, team=cast.team, kind="token.created", subject=f"{sign}cmd()")
    text = client_of("owner").get("/t/harbour-research/activity/export/").getvalue().decode()
    assert f"'{sign}cmd()" in text


def test_a_kind_of_another_app_is_shown_as_it_is_called(cast: Cast, page: Callable[..., str]) -> None:
    record_activity(by=SITE, team=cast.team, kind="quota.100%", subject="team")
    assert "quota.100%" in page("owner", "activity/")


def test_a_swap_brings_the_list_alone(client_of: Callable[..., Client]) -> None:
    response = client_of("owner").get("/t/harbour-research/activity/", headers={"HX-Request": "true"})
    assert response.content.decode().strip().startswith('<div id="teams-activity"')
