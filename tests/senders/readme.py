"""The examples of README's section on reporting, word by word."""

import re
import textwrap
from typing import Final

from tests.senders.environments import ROOT

PLACEHOLDER: Final = "https://callboard.example"


def example(containing: str, url: str) -> str:
    """The one example that has this text in it, for a Callboard at `url`."""
    readme = (ROOT / "README.md").read_text()
    section = readme.partition("\n## Connect what calls\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n|^\n(?=\n*    ))+", section, re.MULTILINE)
    found = [textwrap.dedent(block).strip("\n") + "\n" for block in blocks if containing in block]
    assert len(found) == 1, f"{len(found)} examples in the README have {containing!r}"
    return found[0].replace(PLACEHOLDER, url)
