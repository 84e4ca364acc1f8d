"""The table of periodic jobs."""

from django.db import models


class JobRun(models.Model):
    """A job of `config.jobs`. The process that advances `due_at` runs it."""

    name = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}, due at {self.due_at:%Y-%m-%d %H:%M:%S}"
