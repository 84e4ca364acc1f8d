"""A site on which no page of a team exists."""

from typing import Any

urlpatterns: list[Any] = []
