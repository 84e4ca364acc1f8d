"""No modules import each other, whether directly or by way of others, at the top or in functions."""

import ast

from tests.config.test_architecture import ROOT, modules

# Circles that are known; each entry is one module of the circle. Only entries may be taken away.
KNOWN_CIRCLES: set[str] = {"usage.alerts.words"}


def dotted(module: str) -> str:
    """The dotted name of a module's file."""
    return module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_modules(module: str, known: set[str]) -> set[str]:
    """The modules of ours that a module imports anywhere, in functions too; `from package import module` is one."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else str(node.module) for name in names}
    return (found & known) - {dotted(module)}


def import_circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that import each other, by way of others or not: strongly connected components.

    Tarjan, "Depth-first search and linear graph algorithms" (1972).
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    circles = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for other in sorted(imports[module]):
            if other not in order:
                visit(other)
            if other in stack:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == order[module]:
            start = stack.index(module)
            circle = set(stack[start:])
            del stack[start:]
            if len(circle) > 1:
                circles.append(circle)

    for module in imports:
        if module not in order:
            visit(module)
    return circles


def test_a_circle_is_found_through_other_modules() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert import_circles(imports) == [{"b", "c"}]


def test_imports_in_functions_count() -> None:
    known = {"config.formatting", "teams.account_activity"}
    assert "teams.account_activity" in imported_modules("teams/apps.py", known)


def test_no_modules_import_each_other() -> None:
    paths = [path for path in modules() if "/migrations/" not in path]
    known = {dotted(path) for path in paths}
    circles = import_circles({dotted(path): imported_modules(path, known) for path in paths})
    unknown = [sorted(circle) for circle in circles if not circle & KNOWN_CIRCLES]
    assert not unknown
    assert all(any(name in circle for circle in circles) for name in KNOWN_CIRCLES), "take it from the list"
