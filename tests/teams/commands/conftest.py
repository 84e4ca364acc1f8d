"""Running commands as scripts do."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command


@pytest.fixture
def run() -> Callable[..., str]:
    """`run("create_user", …)`: what the command printed on standard output, without the newline."""

    def go(*arguments: str) -> str:
        out = StringIO()
        call_command(*arguments, stdout=out, stderr=StringIO())
        assert out.getvalue().count("\n") == 1, "a command prints its result alone"
        return out.getvalue().rstrip("\n")

    return go
