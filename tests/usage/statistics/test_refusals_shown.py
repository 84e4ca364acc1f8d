"""What quotas refused is told on overview and activity, with the calls that used the quota up one click away."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from teams.activity import SITE
from teams.models import Mode, Token
from tests.conftest import Cast
from tests.usage.conftest import text_of
from usage.quotas.actions.limits import Limit, set_member_quota, set_token_quota
from usage.quotas.availability import Subject, levels_of, payer_of
from usage.quotas.models import Level, Refusal
from usage.quotas.refusals import refusal_counts
from usage.rollups.bulk import run_together


@pytest.fixture
def refused(cast: Cast, frozen: None, calls: None) -> Any:
    """Mia's limit has refused 42 calls in this hour, her token's one, in test mode three."""
    now, token = timezone.now(), Token.objects.filter(user=cast.member, mode=Mode.LIVE).first()
    set_member_quota(by=SITE, team=cast.team, user=cast.member, limit=Limit(Decimal(1)), now=now)
    set_token_quota(by=SITE, token=token, limit=Limit(Decimal(1)), now=now)
    subject = Subject(cast.team, payer_of(cast.team), Mode.LIVE, cast.member.pk, token.pk)
    states = {state.level: state for state in levels_of(subject, now)}
    for level, mode, count in [(Level.MEMBER, 0, 42), (Level.TOKEN, 0, 1), (Level.MEMBER, 1, 3)]:
        run_together(list(refusal_counts([(cast.team, mode, states[level])] * count, now)))
    return token


def lines(page: str) -> list[str]:
    return re.findall(r">(\d+ calls? refused since [^<]*)<", page)


@pytest.mark.parametrize("path", ["", "activity/"])
def test_the_page_tells_how_many_since_when_and_whose_limit(
    cast: Cast, refused: Any, client_of: Callable[..., Client], path: str
) -> None:
    client = client_of("administrator")
    page = text_of(client.get(f"/t/{cast.team.slug}/{path}"))
    since = timezone.localtime(timezone.now(), cast.team.zone).strftime("%H:00")
    assert lines(page) == [
        f"42 calls refused since {since}, member limit of Mia",
        f"1 call refused since {since}, limit of the token laptop",
    ]
    assert f"members/{cast.member.public_id}/edit/?back=quotas" in page
    assert f"tokens/{refused.public_id}/quota/" in page
    page = text_of(client.get(f"/t/{cast.team.slug}/{path}?mode=test"))
    assert [line.partition(" ")[0] for line in lines(page)] == ["3"]


def hrefs(page: str, path: str, text: str = "[^<]*") -> list[str]:
    """The addresses of the links to a list, with some words in them."""
    return [
        href.replace("&amp;", "&") for href in re.findall(rf'href="([^"]*{path}\?[^"]*)"[^>]*>{text}<', page)
    ]


@pytest.mark.parametrize(
    ("name", "path"), [("administrator", "activity/"), ("owner", "?period=7d"), ("member", "?period=24h")]
)
@pytest.mark.parametrize("mode", ["", "test"])
def test_each_line_leads_to_a_list_of_as_many(
    cast: Cast, refused: Any, client_of: Callable[..., Client], name: str, path: str, mode: str
) -> None:
    client = client_of(name)
    asked = f"{path}{'&' if '?' in path else '?'}mode={mode}" if mode else path
    page = text_of(client.get(f"/t/{cast.team.slug}/{asked}"))
    told = [int(line.partition(" ")[0]) for line in lines(page)]
    assert told == ([3] if mode else [42, 1])
    found = [client.get(href).context["page"] for href in hrefs(page, "refusals/", r"\d+ calls? refused[^<]*")]
    assert [one.refused for one in found] == told
    assert [sum(row.refused.refused for row in one.rows) for one in found] == told


@pytest.mark.parametrize("query", ["period=7d", "period=24h&member=mia@example.org", "period=7d&mode=test"])
@pytest.mark.parametrize("name", ["owner", "member"])
def test_the_number_beside_the_failures_leads_to_a_list_of_as_many(
    cast: Cast, refused: Any, client_of: Callable[..., Client], name: str, query: str
) -> None:
    client = client_of(name)
    page = text_of(client.get(f"/t/{cast.team.slug}/?{query}"))
    (told,) = re.findall(r">(\d+) refused for quota<", page)
    (href,) = hrefs(page, "refusals/", r"\d+ refused for quota")
    assert client.get(href).context["page"].refused == int(told) == (3 if "test" in query else 43)


def test_on_the_personal_page_they_are_told_by_context_and_lead_to_the_list_of_each(
    cast: Cast, refused: Any, client_of: Callable[..., Client]
) -> None:
    client = client_of("member")
    page = text_of(client.get("/me/?period=7d"))
    assert 'href="#by-context-title"' in re.search(r"<a [^>]*>43 refused for quota", page)[0]
    (href,) = hrefs(page, "refusals/", "43")
    assert client.get(href).context["page"].refused == 43
    page = text_of(client.get(f"/me/?period=7d&team={cast.team.slug}"))
    (href,) = hrefs(page, "refusals/", "43 refused for quota")
    assert client.get(href).context["page"].refused == 43


def test_the_calls_made_since_are_a_link_of_their_own(
    cast: Cast, refused: Any, client_of: Callable[..., Client]
) -> None:
    client = client_of("administrator")
    page = text_of(client.get(f"/t/{cast.team.slug}/activity/"))
    for href, ids in zip(hrefs(page, "logs/", "Calls since then"), (cast.member, refused), strict=True):
        assert ids.public_id in href
        assert text_of(client.get(href)).count("gpt-4o-mini")


def test_a_member_sees_their_own_on_their_part_and_no_way_to_change_it(
    cast: Cast, refused: Any, client_of: Callable[..., Client]
) -> None:
    page = text_of(client_of("member").get(f"/t/{cast.team.slug}/"))
    told = [line.rpartition(",")[2] for line in lines(page)]
    assert told == [" member limit of Mia", " limit of the token laptop"]
    assert "Your quotas" in page
    assert "/edit/" not in page


def test_nothing_is_said_when_nothing_was_refused(
    cast: Cast, client_of: Callable[..., Client], calls: None
) -> None:
    for path in ("", "activity/"):
        assert "Refused for quota" not in text_of(client_of("owner").get(f"/t/{cast.team.slug}/{path}"))


def test_what_was_refused_by_somebody_who_left_still_has_a_name(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    Refusal.objects.create(
        team_id=cast.team.pk, mode=0, hour=now, level=Level.MEMBER, subject_id=cast.former.pk, refused=2
    )
    client = client_of("owner")
    page = text_of(client.get(f"/t/{cast.team.slug}/activity/"))
    assert "member limit of Fay" in page
    (href,) = hrefs(page, "refusals/")
    assert client.get(href).context["page"].refused == 2
