"""Rules of the code base that are read from its source: the direction of imports, rooms, lengths."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each app may import itself and those after it.
ORDER = ["logs", "usage", "teams", "config"]
# What binds the apps together stands above them all: it may name any of them.
COMPOSITION = {"config/urls.py"}
MOST_LINES = 420
# The rooms of an app, each with what it needs. A room may import only those listed before it.
ROOMS = {
    "usage": ["prices", "rollups", "reporting", "quotas", "parameters", "anomalies", "statistics", "alerts"],
    "logs": ["formats", "recording", "repricing", "search", "browsing", "integrity", "demo"],
}
# What stands beside the rooms: the tables that Django looks for there, and what binds the rooms together.
MOST_MODULES_AT_THE_TOP = 8


def modules() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for app in ORDER for path in (ROOT / app).rglob("*.py"))


def imports_of(module: str) -> Iterator[str]:
    """Dotted names that a module imports, `from a import b` as both `a` and `a.b`."""
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; say where from"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_are_modules_to_check() -> None:
    assert len(modules()) > 50


@pytest.mark.parametrize("module", modules())
def test_imports_go_one_way(module: str) -> None:
    if module in COMPOSITION or "/migrations/" in module:
        return
    above = set(ORDER[: ORDER.index(module.partition("/")[0])])
    wrong = {name for name in imports_of(module) if name.partition(".")[0] in above}
    assert not wrong, f"{module} imports {sorted(wrong)}: imports go {' → '.join(ORDER)}"


@pytest.mark.parametrize("module", modules())
def test_nobody_imports_views_but_urls(module: str) -> None:
    if module.endswith("urls.py"):
        return
    wrong = {name for name in imports_of(module) if name.partition(".")[0] in ORDER and ".views" in name}
    if "/views/" in module:  # a folder of views may share helpers within itself
        wrong = {name for name in wrong if not name.startswith(module.partition("/views/")[0] + ".views")}
    assert not wrong, f"{module} imports {sorted(wrong)}"


@pytest.mark.parametrize("module", modules())
def test_the_program_does_not_import_its_tests(module: str) -> None:
    assert not [name for name in imports_of(module) if name.partition(".")[0] in {"tests", "pytest"}]


@pytest.mark.parametrize("module", modules())
def test_no_module_is_too_long_to_read(module: str) -> None:
    lines = len((ROOT / module).read_text().splitlines())
    assert lines <= MOST_LINES, f"{module} has {lines} lines; split it by concern"


def room_of(dotted: str) -> tuple[str, str] | None:
    """The app and room that a dotted name stands in, if it stands in a room."""
    app, _dot, rest = dotted.partition(".")
    room = rest.partition(".")[0]
    return (app, room) if room in ROOMS.get(app, ()) else None


@pytest.mark.parametrize("module", modules())
def test_rooms_import_only_those_before_them(module: str) -> None:
    own = room_of(module.removesuffix(".py").replace("/", "."))
    if own is None:
        return
    app, room = own
    after = ROOMS[app][ROOMS[app].index(room) + 1 :]
    wrong = {name for name in imports_of(module) if room_of(name) in {(app, one) for one in after}}
    assert not wrong, f"{module} imports {sorted(wrong)}, of a room after its own"


@pytest.mark.parametrize("app", ROOMS)
def test_a_room_imports_from_the_top_of_its_app_only_its_tables(app: Any) -> None:
    for module in modules():
        if room_of(module.removesuffix(".py").replace("/", ".")) not in {(app, room) for room in ROOMS[app]}:
            continue
        beside = {name for name in imports_of(module) if name.split(".")[0] == app and not room_of(name)}
        assert beside <= {app, "logs.models", *(name for name in beside if name.startswith("logs.models."))}, (
            module
        )


@pytest.mark.parametrize("app", ROOMS)
def test_every_folder_of_an_app_is_a_room_and_few_modules_stand_beside_them(app: Any) -> None:
    folders = {path.name for path in (ROOT / app).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - {"management", "migrations", "templatetags"} == set(ROOMS[app])
    beside = [path.name for path in (ROOT / app).glob("*.py") if path.name != "__init__.py"]
    assert len(beside) <= MOST_MODULES_AT_THE_TOP, beside
