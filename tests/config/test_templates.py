"""Rules for all templates: icons exist, and nothing inline that the Content-Security-Policy forbids."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SYMBOLS = set(re.findall(r'id="i-([a-z-]+)"', (settings.BASE_DIR / "templates/_icons.html").read_text()))
FORBIDDEN = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|hx-on|<script(?![^>]*\bsrc=)(?![^>]*application/json)", re.IGNORECASE
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_asks_for_icons_that_exist_and_has_nothing_inline(path: Path) -> None:
    text = path.read_text()
    assert set(re.findall(r'{% icon "([a-z-]+)" %}', text)) <= SYMBOLS
    assert FORBIDDEN.findall(text) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_comment_ends_on_its_line(path: Path) -> None:
    """Django would show a comment of several lines on the page."""
    for line in path.read_text().splitlines():
        assert line.count("{#") == line.count("#}"), line
