"""The alerts page in a browser: a webhook made, tried and read about; looks, keyboard, no complaint."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django import Settings

from teams.models.users import User
from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver, receiving
from usage.alerts.models import Webhook
from usage.quotas.models import Level, Refusal


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    with receiving(Receiver()) as one:
        yield one


def test_a_webhook_is_made_tried_and_read_about(
    cast: Cast,
    page: Page,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
    receiver: Receiver,
    complaints: list[str],
) -> None:
    sign_in(cast.owner)
    page.goto(reverse("usage:alerts", args=[cast.team.slug]))
    for look in each_look():
        if look.startswith(("1440", "390")):
            axe()
    new = page.get_by_role("form", name="New webhook")
    new.get_by_label("Name").fill("Operations chat")
    new.get_by_label("Address").fill("http://127.0.0.1:9 /")
    new.get_by_role("button", name="Create webhook").click()
    assert "without spaces" in new.inner_text()
    assert all("422" in complaint for complaint in complaints)
    complaints.clear()  # of the answer's status
    axe()
    new.get_by_label("Address").fill(receiver.url)
    new.get_by_role("button", name="Create webhook").click()
    assert re.fullmatch(r"whsec_\S{44}", page.locator("#new-secret").inner_text())
    axe()
    page.get_by_role("button", name="Actions for Operations chat").click()
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_url("**/alerts/webhooks/**")
    assert "“Operations chat” accepted the message: 200" in page.get_by_role("status").first.inner_text()
    receiver.statuses = [503]
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("did not accept the message").first.wait_for()
    page.get_by_text("Message body").first.click()
    assert "webhook.test" in page.get_by_label("Body of the message").first.inner_text()
    axe()
    Webhook.objects.update(is_active=False, stopped_because="Every attempt failed for 3 days.")
    page.reload()
    for look in each_look():
        if look.startswith(("1440", "390")):
            axe()
    page.goto(reverse("usage:messages", args=[cast.team.slug]))
    axe()


def test_refused_calls_are_told_on_the_activity_page(
    cast: Cast,
    page: Page,
    sign_in: Callable[[User], None],
    axe: Callable[[], None],
    each_look: Callable[[], Iterator[str]],
) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    rows = [(Level.MEMBER, cast.member.pk, 42), (Level.TEAM, 0, 3)]
    Refusal.objects.bulk_create(
        Refusal(team_id=cast.team.pk, mode=0, hour=hour, level=level, subject_id=pk, refused=count)
        for level, pk, count in rows
    )
    sign_in(cast.administrator)
    page.goto(reverse("teams:activity", args=[cast.team.slug]))
    assert page.get_by_text("member limit of Mia").is_visible()
    for _look in each_look():
        axe()
    page.get_by_role("link", name="42 calls refused").click()
    page.get_by_role("heading", name="42 calls refused for quota").wait_for()
    assert f"member={cast.member.public_id}" in page.url
    for _look in each_look():
        axe()
    page.get_by_role("link", name="Show all limits").click()
    page.get_by_role("heading", name="45 calls refused for quota").wait_for()
