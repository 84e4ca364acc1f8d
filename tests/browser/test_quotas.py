"""Quotas as people set them: in the row of a token, without leaving the page; and the page that proves them."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.activity import SITE
from teams.models import Team
from teams.models.keys import Token
from teams.models.users import User
from tests.conftest import Cast
from usage.quotas.actions.limits import Limit, set_token_quota
from usage.quotas.models import Quota
from usage.rollups.models import DayMember


def test_a_tokens_quota_is_set_in_its_row_and_nothing_else_moves(
    cast: Cast,
    page: Page,
    sign_in: Callable[[User], None],
    token_of: Callable[..., tuple[Token, str]],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
    complaints: list[str],
) -> None:
    token, _secret = token_of("member")
    own, _secret = token_of("owner")
    set_token_quota(by=SITE, token=own, limit=Limit(Decimal(40)), now=timezone.now())
    call = ReportedCall(request_id="a", started_at=timezone.now(), model="gpt-4o", cost_nanos=3_100_000_000)
    record_calls([call], by=Caller(token=token), now=timezone.now())
    sign_in(cast.owner)
    page.goto(reverse("teams:tokens", args=[cast.team.slug]))
    row, editor = page.locator(f"#token-{token.public_id}"), page.locator(f"#editor-{token.public_id}")
    expect(row).to_contain_text("$3.10")
    expect(row).to_contain_text("no limit")
    row.get_by_role("button", name="Actions for laptop").click()
    page.get_by_role("link", name="Set a quota").click()
    expect(editor).to_contain_text("$3.10 used so far.")
    expect(page.locator(".menu:visible")).to_have_count(0)
    expect(editor.get_by_label("Limit in US dollars")).to_be_focused()
    axe()
    assert len(list(each_look())) == 6
    page.set_viewport_size({"width": 1440, "height": 900})
    editor.get_by_label("No limit").uncheck()
    editor.get_by_label("Limit in US dollars").fill("-1")
    editor.get_by_role("button", name="Save changes").click()
    expect(editor).to_contain_text("must not be negative")
    editor.get_by_label("Limit in US dollars").fill("12.50")
    editor.get_by_role("button", name="Save changes").click()
    expect(editor).to_be_hidden()
    expect(row).to_contain_text(re.compile(r"\$3\.10\s*/ \$12\.50"))
    expect(page.locator("#live")).to_have_text("Saved the quota of “laptop”.")
    assert Quota.objects.get(token=token).limit_nanos == 12_500_000_000
    (refused,) = complaints  # the answer to −1
    assert "422" in refused
    complaints.clear()


def test_the_check_of_the_figures_is_read_at_every_width(
    cast: Cast,
    page: Page,
    sign_in: Callable[[User], None],
    token_of: Callable[..., tuple[Token, str]],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    token, _secret = token_of("member")
    call = ReportedCall(request_id="a", started_at=timezone.now(), model="gpt-4o", cost_nanos=3_100_000_001)
    record_calls([call], by=Caller(token=token), now=timezone.now())
    sign_in(cast.owner)
    page.goto(reverse("usage:quotas", args=[cast.team.slug]))
    page.get_by_role("link", name="Check against the calls").click()
    expect(page.get_by_role("status").first).to_contain_text("All figures agree, to the nano-dollar")
    DayMember.objects.filter(team_id=cast.team.pk).update(calls=2)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("One figure differs from the sum of the calls")
    expect(page.get_by_role("region", name="Differences")).to_contain_text("Mia")
    axe()
    assert len(list(each_look())) == 6


def test_staff_set_a_balance(
    cast: Cast, page: Page, sign_in: Callable[[User], None], complaints: list[str]
) -> None:
    cast.owner.is_staff = cast.owner.is_superuser = True
    cast.owner.save()
    space = Team.objects.get(owner=cast.member, is_personal=True)
    sign_in(cast.owner)
    page.goto(f"/admin/usage/balance/{space.pk}/change/")
    page.get_by_label("No limit").uncheck()
    page.get_by_label("Limit in US dollars").fill("25")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/usage/balance/")
    assert Quota.objects.get().limit_nanos == 25_000_000_000
    complaints[:] = [one for one in complaints if "404" not in one]  # Django's admin has no icon of its own
