"""`manage.py serve`: runs the production server on HOST:PORT."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from config.jobs import worker_hooks
from config.server import Server, limit_heaps, listen_error, server_options, tune_garbage_collection
from config.static_collection import collect_static


class Command(BaseCommand):
    help = "Serves the site on HOST:PORT (default 127.0.0.1:8000) until it is stopped by SIGTERM or Ctrl-C."
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = settings.HOST, settings.PORT
        refuse_taken_port()
        refuse_unapplied_migrations()
        limit_heaps()
        if collect_static():
            self.stderr.write("Collected the static files.")
        # Gunicorn warns about every response to HEAD, although it correctly removes the body.
        logging.getLogger("gunicorn.http.wsgi").setLevel(logging.ERROR)
        application = get_wsgi_application()
        # Workers are forks of this process and must not share its connections.
        connections.close_all()
        tune_garbage_collection()
        self.stderr.write(f"Serving on http://{f'[{host}]' if ':' in host else host}:{port} (stop: Ctrl-C)")
        options = server_options(host, port, settings.SERVE_WORKERS, settings.SERVE_THREADS)
        Server(application, options | (worker_hooks() if settings.SERVE_JOBS else {})).run()


def refuse_taken_port() -> None:
    """Raises CommandError if the server cannot listen on HOST:PORT."""
    host, port = settings.HOST, settings.PORT
    reason = listen_error(host, port)
    if reason:
        raise CommandError(f"Cannot listen on {host}:{port}: {reason}. Set PORT (or HOST) to another one.")


def refuse_unapplied_migrations() -> None:
    """Raises CommandError if the database lacks migrations."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise CommandError(
            f"{len(missing)} migrations are not applied to the database. Run `manage.py migrate` first."
        )
