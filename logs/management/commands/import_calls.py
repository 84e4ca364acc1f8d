"""`manage.py import_calls`: imports calls from files, in every format of the API."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.progress import progress_bar
from logs.formats import FORMATS
from logs.formats.call_format import CallFormat
from logs.recording.files import FileError, file_records
from logs.recording.importing import Import, Numbered
from teams.models import Team

_BATCH = 1000
_MOST_NAMED = 100  # rejected records that are listed; more are usually the same mistake


class Command(BaseCommand):
    """Imports the calls of files into a team.

    It can be repeated after a failure: calls that are already stored count as duplicates and change nothing.
    """

    help = (
        "Reads calls from files (JSON or NDJSON, plain or gzip) into a team; bad records are named by number."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--team", required=True, help="slug of the team that the calls belong to")
        parser.add_argument("--format", choices=FORMATS, default="callboard")
        parser.add_argument("--member", default="", help="whose calls they are when a record names nobody")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="ADDRESS=MEMBER",
            help="an address in the file and the member it stands for",
        )
        parser.add_argument(
            "--no-create-members", action="store_true", help="reject calls of people who are not in the team"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        team = Team.objects.alive().filter(slug=options["team"]).first()
        if team is None:
            raise CommandError(f"There is no team {options['team']}.")
        under_way = Import(
            team=team,
            form=FORMATS[options["format"]],
            default_member=options["member"],
            mapping=dict(map(_mapped, options["map"])),
            creates_members=not options["no_create_members"],
        )
        try:
            for path in options["files"]:
                self._import(under_way, path)
        except FileError as error:
            raise CommandError(str(error)) from error
        if under_way.created:
            self.stderr.write(f"New members: {', '.join(under_way.created)}")
        ignored = f", {under_way.ignored} ignored" if under_way.ignored else ""
        self.stdout.write(
            f"{under_way.accepted} accepted, {under_way.duplicates} duplicates, {under_way.rejected} rejected{ignored}"
        )
        if under_way.rejected:
            raise CommandError("Correct the rejected records and import the file again; the others are kept.")

    def _import(self, under_way: Import, path: Path) -> None:
        # The file is read twice, so that a file that is cut off is refused before any of it is stored.
        total = sum(1 for _record in _records(path, under_way.form))
        advance = progress_bar(path.name, total)
        for batch in _batches(_records(path, under_way.form)):
            rejected = under_way.rejected
            for index, (number, message) in enumerate(under_way.take(batch, timezone.now()), start=rejected):
                if index < _MOST_NAMED:
                    self.stderr.write(f"{path}:{number}: {message}")
            advance(len(batch))


def _mapped(pair: str) -> tuple[str, str]:
    address, equals, member = pair.lower().partition("=")
    if not (address and equals and member):
        raise CommandError(f"--map {pair}: write it as address=member.")
    return address, member


def _records(path: Path, form: CallFormat) -> Iterator[Numbered]:
    """Yields (number, record) for the file; one line may contain several records, which have its number."""
    return ((number, one) for number, record in file_records(path) for one in form.unfold(record))


def _batches(records: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    batch: list[Numbered] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
