"""The table of periodic jobs."""

from django.db import models


class JobRun(models.Model):
    """When a job of `config.jobs` is due next. The process that sets `due_at` to a later time runs the job."""

    name = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}, due at {self.due_at:%Y-%m-%d %H:%M:%S}"
