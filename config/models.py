"""When the site's jobs are due."""

from django.db import models


class JobRun(models.Model):
    """A job of `config.jobs`: whoever moves `due_at` on may run it."""

    name = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}, due at {self.due_at:%Y-%m-%d %H:%M:%S}"
