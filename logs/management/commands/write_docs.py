"""`manage.py write_docs`: writes the documentation pages that are generated from the code."""

from typing import Any

from django.core.management.base import BaseCommand

from logs.search.documentation import PAGE, page_of_filters


class Command(BaseCommand):
    help = "Writes docs/filters.md from the declarations of the filters."

    def handle(self, **options: Any) -> None:
        PAGE.write_text(page_of_filters())
        self.stdout.write(str(PAGE))
