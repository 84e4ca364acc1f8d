"""Widgets without templates render the same as Django's own."""

from typing import Any

from django import forms
from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from config.widgets import PlainInput, PlainSelect

assert_same = SimpleTestCase().assertHTMLEqual
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
ATTRS = {"class": "input", "id": "id_x", "required": True, "disabled": False, "aria-describedby": 'a "b" <c>'}


@given(value=st.none() | TEXT)
def test_an_input_is_djangos(value: Any) -> None:
    ours, theirs = (made({"inputmode": "numeric"}) for made in (PlainInput, forms.TextInput))

    assert_same(ours.render("x", value, ATTRS), theirs.render("x", value, ATTRS))


@given(value=st.none() | TEXT, choices=st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_a_menu_is_djangos(value: Any, choices: Any) -> None:
    ours, theirs = (made(choices=choices) for made in (PlainSelect, forms.Select))

    assert_same(ours.render("x", value, ATTRS), theirs.render("x", value, ATTRS))


def test_an_option_cannot_end_its_menu() -> None:
    shown = PlainSelect(choices=[('"><script>', "</select><script>")]).render("x", '"><script>')

    assert "<script>" not in shown
    assert shown.count("selected") == 1
