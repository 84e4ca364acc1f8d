"""Docs and docstrings name only files and dotted names that exist in this repository."""

import ast
import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.config.test_architecture import ORDER, ROOT, modules
from usage.alerts.models import Event

DOCS = sorted(str(path.relative_to(ROOT)) for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
TESTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py"))
SOURCES = [path for path in [*modules(), *TESTS] if "/migrations/" not in path]
FOLDERS = (*ORDER, "tests", "docs", "templates", "static")

# `usage/rollups/query.py`, `logs/formats/`, [text](filters.md); not addresses of pages, nor patterns.
FILE = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`|\]\(([\w./-]+)\)")
# `teams.access.PERMISSIONS`
NAME = re.compile(rf"`((?:{'|'.join(ORDER)}|tests)(?:\.\w+)+)")
# Papers that are not in the repository.
PAPER = re.compile(r"\b(?:DESIGN|HOUSE|INSIGHT|ENGINES|FORMATS|LOOK|API|EXAMPLES)(?:\.md|: \"| §)")
# Names that look like ours: files of other programs, and the events of webhooks.
OTHERS = {"config.yaml", *(event.value for event in Event)}


def docstrings(path: str) -> Iterator[str]:
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def texts_of(path: str) -> list[str]:
    return list(docstrings(path)) if path.endswith(".py") else [(ROOT / path).read_text()]


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or what a module holds, attribute by attribute."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            fields = getattr(found, "__annotations__", {})
            if not hasattr(found, name) and name not in fields:
                return False
            found = getattr(found, name, None)
        return True
    return False


def missing_files(path: str, text: str) -> list[str]:
    named = [(ROOT / one[0]) if one[0] else (ROOT / path).parent / one[1] for one in FILE.findall(text)]
    return [str(file.relative_to(ROOT)) for file in named if not file.exists()]


@pytest.mark.parametrize("path", [*DOCS, *SOURCES])
def test_what_is_named_exists(path: Any) -> None:
    for text in texts_of(path):
        assert not missing_files(path, text)
        assert not [name for name in NAME.findall(text) if name not in OTHERS and not exists(name)]


@pytest.mark.parametrize("path", [*DOCS, *SOURCES])
def test_no_paper_outside_of_the_repository_is_cited(path: Any) -> None:
    if path == "tests/config/test_references.py":
        return
    text = (ROOT / path).read_text()
    assert not PAPER.search(text), PAPER.search(text)


def test_a_stale_name_is_noticed() -> None:
    assert exists("teams.access.Access.may")
    assert exists("teams.models.Invitation.expires_at")
    assert not exists("teams.keyring.tokens_page")
    assert not exists("teams.access.may_everything")
    assert missing_files("docs/x.md", "see `usage/cells.py` and [the words](glossary.md)") == ["usage/cells.py"]
