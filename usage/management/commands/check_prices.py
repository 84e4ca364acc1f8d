"""`manage.py check_prices`: compares our costs with those of the public price list's calculator, or of
LiteLLM's file.
"""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from usage.prices.checks import Compared, compare_calculator, compare_litellm
from usage.prices.public_list import list_version

HEAD = {
    "calculator": ["vendor", "model", "tier", "tokens", "ours_nanos", "theirs_nanos"],
    "litellm": ["vendor", "model", "tier", "kind", "list_usd_per_million", "litellm_usd_per_million"],
}


class Command(BaseCommand):
    help = (
        "Compares costs by the public price list with its own calculator, or the list with LiteLLM's price file. "
        "Prints the differences as CSV, and on standard error how many there are. Fails if the calculator differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--litellm",
            metavar="FILE",
            type=Path,
            help="LiteLLM's model_prices_and_context_window.json, to compare the list with",
        )

    def handle(self, *, litellm: Path | None, **options: Any) -> None:
        now = timezone.now()
        if litellm is not None:
            self._print("litellm", compare_litellm(_content(litellm), now))
            return
        found = compare_calculator(now)
        self._print("calculator", found)
        if found.differences:
            raise CommandError("Costs are not what the list's own calculator says.")

    def _print(self, kind: str, found: Compared) -> None:
        rows = csv.writer(self.stdout, lineterminator="\n")
        rows.writerow(HEAD[kind])
        rows.writerows(
            [*one[:-2], f"{one.ours.normalize():f}", f"{one.theirs.normalize():f}"] for one in found.differences
        )
        differing = len({one[:2] for one in found.differences})
        self.stderr.write(f"{list_version()}: {found.models} models compared, {differing} differ.")


def _content(path: Path) -> dict[str, Any]:
    """Reads LiteLLM's price file, with fractions as Decimal. Raises CommandError for a file that is not one."""
    try:
        content = json.loads(path.read_bytes(), parse_float=Decimal)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON.") from error
    if not isinstance(content, dict):
        raise CommandError(
            f"{path} is not LiteLLM's price file: it must be an object with a row for each model."
        )
    return content
