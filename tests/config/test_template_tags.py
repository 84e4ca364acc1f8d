"""Template filters and tags."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from config import formatting
from config.markup import joined, markup, script_data
from config.templatetags import callboard

NO_DATA = '<span class="faint">–</span>'


def rendered(source: str, path: str = "/", **context: object) -> str:
    return Template(source).render(Context({"request": RequestFactory().get(path), **context})).strip()


@pytest.mark.parametrize("name", ["num", "compact", "money", "percent", "milliseconds"])
def test_no_data_is_a_faint_dash_and_never_zero(name: str) -> None:
    source = "{{ value|" + name + " }}"
    assert rendered(source, value=None) == NO_DATA
    assert NO_DATA not in rendered(source, value=0)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234, "1,234"), (-1234567, "−1,234,567"), (Decimal("1.5"), "2")]
)
def test_num_separates_thousands(value: int | Decimal, text: str) -> None:
    assert rendered("{{ value|num }}", value=value) == text


def test_num_shows_as_many_decimals_as_asked_for() -> None:
    assert rendered("{{ value|num:1 }}", value=1234.56) == "1,234.6"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0 K"),
        (53_249, "53.2 K"),
        (123_456, "123 K"),
        (999_499, "999 K"),
        (999_500, "1.0 M"),
        (62_400_000, "62.4 M"),
        (99_960_000, "100 M"),
        (7_100_000_000, "7.1 B"),
        (5 * 10**15, "5,000 T"),
        (-62_400_000, "−62.4 M"),
    ],
)
def test_compact_keeps_three_digits(value: int, text: str) -> None:
    assert rendered("{{ value|compact }}", value=value) == text.replace(" ", "\xa0")


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "$0.00"),
        (32_480_000_000, "$32.48"),
        (1_234_567_891_000_000, "$1,234,567.89"),
        (820_000_000, "$0.82"),
        (99_999_999, "$0.10"),
        (12_450_000, "$0.0124"),
        (160_000, "$0.000160"),
        (150, "$0.000000150"),
        (1, "$0.000000001"),
        (-2_500_000_000, "−$2.50"),
    ],
)
def test_money_keeps_the_significant_digits_of_small_amounts(nanos: int, text: str) -> None:
    assert rendered("{{ nanos|money }}", nanos=nanos) == text


def test_money_in_a_column_has_one_number_of_decimals() -> None:
    assert rendered("{{ nanos|money:6 }}", nanos=159_499) == "$0.000159"


@pytest.mark.parametrize(
    ("nanos", "text"), [(0, "$0.00"), (3_600, "<$0.01"), (5_000_000, "<$0.01"), (5_000_001, "$0.01")]
)
def test_only_nothing_reads_nothing_in_a_column(nanos: int, text: str) -> None:
    assert formatting.money(nanos, 2) == text
    assert rendered("{{ nanos|money:2 }}", nanos=nanos) == text.replace("<", "&lt;")


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "$0.00"),
        (12_500_000_000, "$12.50"),
        (150_000, "$0.00015"),
        (1_000_000_000_000_000_001, "$1,000,000,000.000000001"),
    ],
)
def test_exact_money_loses_nothing(nanos: int, text: str) -> None:
    assert rendered('{{ nanos|money:"exact" }}', nanos=nanos) == text


@given(st.integers(min_value=-(10**24), max_value=10**24))
def test_exact_money_reads_back_as_the_same_amount(nanos: Any) -> None:
    text = formatting.exact_money(nanos).replace("−", "-").replace("$", "").replace(",", "")
    whole, _, fraction = text.partition(".")
    assert int(whole + fraction.ljust(9, "0")) == nanos


@given(st.integers(min_value=1, max_value=10**24), st.sampled_from([None, 2, 4, 6]))
def test_an_amount_is_never_shown_as_nothing(nanos: Any, decimals: Any) -> None:
    assert formatting.money(nanos, decimals).strip("$0.,") != ""


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0, "0.0%"), (1, "100.0%"), (0.9878, "98.8%"), (0.99996, "99.9%"), (0.00004, "<0.1%"), (1.04, "104.0%")],
)
def test_percent_reads_a_hundred_only_for_the_whole_and_zero_only_for_nothing(ratio: float, text: str) -> None:
    assert formatting.percent(ratio) == text


def test_percent_takes_decimals() -> None:
    assert rendered("{{ ratio|percent:2 }} {{ ratio|percent:0 }}", ratio=0.98785) == "98.78% 99%"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (1612, "1,612 ms"),
        (9_999, "9,999 ms"),
        (24_061, "24.1 s"),
        (599_999, "600.0 s"),
        (720_000, "12 min"),
    ],
)
def test_milliseconds_choose_their_unit(value: int, text: str) -> None:
    assert rendered("{{ value|milliseconds }}", value=value) == text.replace(" ", "\xa0")


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("{{ 62400000|compact|small_unit }}", "62.4<small>M</small>"),
        ("{{ 1612|milliseconds|small_unit }}", "1,612<small>ms</small>"),
        ("{{ 0.9878|percent:2|small_unit }}", "98.78<small>%</small>"),
        ("{{ 47988|num|small_unit }}", "47,988"),
        ("{{ none|num|small_unit }}", NO_DATA),
    ],
)
def test_small_unit_sets_the_unit_apart(source: str, html: str) -> None:
    assert rendered(source, none=None) == html


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("{% delta 0.238 %}", ['class="delta"', "#i-up-right", ">up <", "23.8%"]),
        ('{% delta 0.238 good="up" %}', ["delta-good"]),
        ('{% delta 0.084 good="down" %}', ["delta-bad", "8.4%"]),
        ('{% delta minus good="up" unit="pt" %}', ["delta-bad", "#i-down-right", ">down <", "0.6\xa0pt"]),
        ('{% delta 0.0001 good="up" %}', ['class="delta"', "#i-flat", ">unchanged <", "0%"]),
    ],
)
def test_delta_says_direction_in_shape_word_and_colour(source: str, parts: list[str]) -> None:
    html = rendered(source, minus=-0.006)
    assert [part for part in parts if part not in html] == []


def test_delta_without_a_before_is_no_data() -> None:
    assert rendered("{% delta none %}", none=None) == NO_DATA


@pytest.mark.parametrize(
    ("source", "width"),
    [
        ("{% bar 81 100 %}", "81.0"),
        ("{% bar 0.5 %}", "50.0"),
        ("{% bar 7 2 %}", "100.0"),
        ("{% bar 7 0 %}", "0.0"),
        ("{% bar none %}", "0.0"),
    ],
)
def test_bar_is_never_fuller_than_full(source: str, width: str) -> None:
    assert f'class="bar-fill" width="{width}"' in rendered(source, none=None)


@pytest.mark.parametrize(
    ("used", "limit", "css", "text"),
    [
        (5_000_000_000, 10_000_000_000, 'class="quota"', "50%"),
        (9_000_000_000, 10_000_000_000, "quota-near", "90%"),
        (10_000_000_000, 10_000_000_000, "quota-full", "100%"),
        (0, 0, "quota-full", "100%"),
        (5_000_000_000, None, 'class="quota"', "no limit"),
    ],
)
def test_quota_bar_turns_amber_and_red(used: int, limit: int | None, css: str, text: str) -> None:
    html = rendered("{% quota_bar used limit %}", used=used, limit=limit)
    assert css in html
    assert text in html


def test_local_is_the_clock_of_the_team_across_half_hours_and_summer_time() -> None:
    at = datetime(2026, 11, 17, 13, 0, tzinfo=UTC)
    assert "Tue 17 Nov, 14:00" in rendered('{% local at "Europe/Berlin" %}', at=at)
    assert "Tue 17 Nov, 18:30" in rendered('{% local at "Asia/Kolkata" %}', at=at)
    assert "Fri 17 Jul, 15:00" in rendered('{% local at "Europe/Berlin" %}', at=at.replace(month=7))


def test_local_has_styles_and_tells_machines_the_instant() -> None:
    at = datetime(2026, 11, 17, 13, 37, 52, 204_999, tzinfo=UTC)
    html = rendered('{% local at "Europe/Berlin" "exact" %}', at=at)
    assert html == '<time datetime="2026-11-17T14:37:52.204999+01:00">Tue 17 Nov 2026, 14:37:52.204</time>'
    assert "14:37:52<" in rendered('{% local at "Europe/Berlin" "clock" %}', at=at)


def test_local_refuses_a_time_without_zone_and_shows_none_as_no_data() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        callboard.local(datetime(2026, 11, 17), "Europe/Berlin")  # noqa: DTZ001
    assert rendered('{% local none "UTC" %}', none=None) == NO_DATA


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=30), "30 h ago"),
        (timedelta(days=12), "12 days ago"),
    ],
)
def test_ago_counts_in_the_unit_that_fits(age: timedelta, text: str) -> None:
    now = datetime(2026, 11, 17, tzinfo=UTC)
    assert rendered("{{ at|ago:now }}", at=now - age, now=now) == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Maren Okafor", "MO"),
        ("Inês", "IN"),
        ("j.lindqvist@harbour.example", "JL"),
        ("a@b.example", "A"),
        ("", "?"),
    ],
)
def test_initials_come_from_first_and_last_word(name: str, letters: str) -> None:
    assert formatting.initials(name) == letters


class Somebody:
    def __init__(self, name: str, email: str) -> None:
        self.name, self.email = name, email


def test_person_shows_name_and_address_escaped() -> None:
    html = rendered("{% person who %}", who=Somebody("<Mia>", "mia@example.org"))
    assert "&lt;Mia&gt;" in html
    assert "mia@example.org" in html


def test_person_without_a_name_is_known_by_the_address() -> None:
    html = rendered("{% person who %}", who=Somebody("", "mia@example.org"))
    assert "No name yet" in html
    assert "former member" in rendered(
        '{% person who note="former member" %}', who=Somebody("Fay", "fay@example.org")
    )


@pytest.mark.parametrize(
    ("role", "html"),
    [
        ("owner", '<span class="badge badge-owner">Owner</span>'),
        ("administrator", '<span class="badge badge-administrator">Administrator</span>'),
        ("member", '<span class="badge badge-member">Member</span>'),
        ("", '<span class="badge badge-mute">Former member</span>'),
    ],
)
def test_role_badge_names_the_role(role: str, html: str) -> None:
    assert rendered("{% role_badge role %}", role=role) == html


@pytest.mark.parametrize(("outcome", "shape"), [(0, "circle"), (1, "path"), (2, "path"), (3, "rect")])
def test_status_dot_differs_in_shape(outcome: int, shape: str) -> None:
    html = rendered("{% status_dot outcome 429 %}", outcome=outcome)
    assert f"<{shape} " in html
    assert html.endswith("429</span>")


def test_query_with_keeps_other_parameters_and_replaces_or_removes_its_own() -> None:
    path = "/?member=a&member=b&sort=calls&cursor=x"
    query = rendered('{% query_with sort="cost" cursor=None as q %}{{ q|safe }}', path)
    assert query == "?member=a&member=b&sort=cost"
    assert rendered("{% query_with member=both as q %}{{ q|safe }}", "/?mode=test", both=["c", "d"]) == (
        "?mode=test&member=c&member=d"
    )


def test_query_with_is_escaped_in_an_attribute() -> None:
    assert rendered("{% query_with a=1 b=value %}", value='"<') == "?a=1&amp;b=%22%3C"


def test_query_without_takes_one_value_away() -> None:
    assert rendered('{% query_without "member" "a" %}', "/?member=a&member=b") == "?member=b"
    assert rendered('{% query_without "member" %}', "/?member=a&member=b") == "?"


def test_a_chip_opens_its_popover_and_when_set_can_be_removed() -> None:
    assert "chip-remove" not in rendered('{% chip "Member" "f-member" %}')
    html = rendered('{% chip "Member" "f-member" value="Dana" remove="?x=1" %}')
    assert 'popovertarget="f-member"' in html
    assert 'href="?x=1"' in html
    assert "Remove filter Member Dana" in html


def test_copy_button_names_what_it_copies() -> None:
    assert 'aria-label="Copy request id"' in rendered('{% copy_button "req_1" "request id" %}')


class SampleForm(forms.Form):
    amount = forms.IntegerField(help_text="Dollars a month.")
    note = forms.CharField(required=False)
    agree = forms.BooleanField(label="I agree")
    role = forms.ChoiceField(choices=[("m", "Member"), ("a", "Administrator")], widget=forms.RadioSelect)


def test_a_field_ties_label_hint_and_error_to_its_control() -> None:
    html = rendered("{% field form.amount %}", form=SampleForm({"amount": "many"}))
    assert '<label for="id_amount">Amount</label>' in html
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'class="input"' in html
    assert 'id="id_amount_error"' in html
    assert 'id="id_amount_helptext"' in html


def test_an_optional_field_says_so_and_takes_a_hint_of_the_page() -> None:
    html = rendered('{% field form.note hint="Why this change" %}', form=SampleForm())
    assert "(optional)" in html
    assert 'aria-describedby="id_note_helptext"' in html


def test_a_checkbox_stands_before_its_label() -> None:
    html = rendered("{% field form.agree %}", form=SampleForm())
    assert html.index("<input") < html.index("I agree")
    assert "input" not in html.split('class="')[1].split('"')[0]


def test_radio_buttons_are_a_fieldset_with_a_legend() -> None:
    html = rendered("{% field form.role %}", form=SampleForm())
    assert "<legend>Role</legend>" in html
    assert html.count('type="radio"') == 2


TEXTS = st.text(max_size=20) | st.integers() | st.floats(allow_nan=False) | st.none()


@given(values=st.lists(TEXTS | TEXTS.map(lambda value: SafeString(f"<b>{value}</b>")), max_size=4))
def test_markup_escapes_as_django_does(values: Any) -> None:
    pattern = '<i class="%s">' * len(values) + "</i>"
    made = markup(pattern, *values)
    assert made == format_html(pattern.replace("%s", "{}"), *values) if values else made == "</i>"
    assert isinstance(made, SafeString)


DATA = st.recursive(
    TEXTS | st.booleans() | st.sampled_from(["</script>", "<!--", "&amp;"]),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=9), some, max_size=3),
)


@given(value=DATA)
def test_data_of_a_script_is_escaped_as_django_does(value: Any) -> None:
    assert script_data(value, "trend") == json_script(value, "trend")


def test_markup_translates_what_is_translated_late_and_keeps_what_is_safe() -> None:
    assert markup("<b>%s</b>", gettext_lazy("Owner")) == "<b>Owner</b>"
    assert markup("%s", mark_safe("<i>")) == joined([mark_safe("<i>")]) == "<i>"
    assert markup("%s", "<script>alert('x')</script>") == "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;"
