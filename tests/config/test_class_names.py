"""A public class name means one thing in an app."""

import ast
from collections.abc import Iterator

import pytest

from tests.config.test_architecture import ORDER, ROOT


def public_classes(app: str) -> Iterator[tuple[str, str]]:
    """The names of an app's public classes, each with its module; classes within classes are left out."""
    for path in sorted((ROOT / app).rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, str(path.relative_to(ROOT))


# Names that Django looks for.
NAMED_BY_DJANGO = {"Command", "DatabaseWrapper"}


@pytest.mark.parametrize("app", ORDER)
def test_a_class_name_means_one_thing_in_an_app(app: str) -> None:
    places: dict[str, list[str]] = {}
    for name, module in public_classes(app):
        places.setdefault(name, []).append(module)
    twice = {name: where for name, where in places.items() if len(where) > 1 and name not in NAMED_BY_DJANGO}
    assert not twice
