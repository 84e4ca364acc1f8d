"""The README lists every setting, and the commands and targets that it names exist."""

import ast
import re
from pathlib import Path

from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
OUR_APPS = {"config", "teams", "usage", "logs"}


def settings_read() -> set[str]:
    """The names of environment variables that settings.py asks for, by any of env's readers."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "config" / "settings.py").read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "env":
            name = node.args[0]
            assert isinstance(name, ast.Constant), "settings must name a variable in full"
            names.add(str(name.value))
    return names


def settings_documented() -> list[str]:
    section = README.partition("\n## Settings\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_settings_are_read_and_documented_alike() -> None:
    documented = settings_documented()
    assert settings_read() == set(documented)
    assert len(documented) == len(set(documented))
    assert len(documented) > 10


def test_only_settings_reads_the_environment() -> None:
    for app in OUR_APPS:
        for path in (ROOT / app).rglob("*.py"):
            if path.name == "settings.py":
                continue
            found = re.findall(
                r"os\.environ(?!\.setdefault\(\"DJANGO_SETTINGS_MODULE\")|os\.getenv", path.read_text()
            )
            assert not found, f"{path.relative_to(ROOT)} reads the environment; settings.py should"


def test_every_make_target_named_in_the_readme_exists() -> None:
    named = set(re.findall(r"^    make ([a-z-]+)|`make ([a-z-]+)`", README, re.MULTILINE))
    named = {name for pair in named for name in pair if name}
    assert {"demo", "test"} <= named <= make_targets()


def test_every_target_that_help_tells_of_is_in_the_readme() -> None:
    told = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert all(f"make {target}" in README for target in told)


def test_every_command_named_in_the_readme_exists() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", README))
    assert {"serve", "migrate"} <= named <= set(get_commands())


def test_every_command_of_ours_is_in_the_readme() -> None:
    ours = {name for name, app in get_commands().items() if app in OUR_APPS}
    assert ours <= set(re.findall(r"`(?:manage\.py )?([a-z_]+)", README))


def test_every_file_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
